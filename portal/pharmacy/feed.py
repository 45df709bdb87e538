"""Reads a pharmacy's feed, which is oldest first, up to its end, and keeps its newest prescriptions."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from herhaal_client import ApiError
from herhaal_client.ordering import OrderingClient
from portal.web.starts import Starts
from schemas.api.ordering import FeedItem
from schemas.base import TYPE_PREFIX
from schemas.records.prescriptions import PrescriptionApproved, PrescriptionWithdrawn

PAGE = 1000
"""Entries that are read at once: the most that ordering gives."""

MOST_PAGES = 20
"""Pages that are read for one visit."""

SHOWN = 200
"""Prescriptions that are kept: the newest."""

APPROVED = TYPE_PREFIX + PrescriptionApproved.TYPE
WITHDRAWN = TYPE_PREFIX + PrescriptionWithdrawn.TYPE


@dataclass(frozen=True)
class Prescription:
    """An approved line, and when it was withdrawn and why, if it was. Times are UTC."""

    approved: PrescriptionApproved
    withdrawn_at: datetime | None = None
    why: str | None = None


@dataclass(frozen=True)
class Feed:
    """The newest prescriptions, newest first; `whole` is false when there is more at the end to be read."""

    prescriptions: Sequence[Prescription]
    whole: bool


async def read_feed(ordering: OrderingClient, starts: Starts, pharmacy: str) -> Feed:
    """Read a feed from where its newest part begins."""
    start = starts.of(pharmacy)
    try:
        items, reached = await _read(ordering, pharmacy, start)
    except ApiError as error:
        if error.code != "unknown-cursor":
            raise
        start = None
        items, reached = await _read(ordering, pharmacy, None)
    newest = newest_part(items, start)
    # Without enough approvals to shift the start, a visit that did not reach the end must still get further.
    starts.note(pharmacy, reached if newest == start and reached else newest)
    return Feed([*reversed(prescriptions(items))][:SHOWN], reached is None)


async def _read(
    ordering: OrderingClient, pharmacy: str, start: str | None
) -> tuple[Sequence[FeedItem], str | None]:
    """The entries after `start`, and where reading stopped if that was before the end."""
    items: list[FeedItem] = []
    cursor = start
    for _ in range(MOST_PAGES):
        page = await ordering.feed(pharmacy, cursor, PAGE)
        if page.next == cursor:
            return items, None
        items += page.items
        cursor = page.next
    return items, cursor


def prescriptions(items: Sequence[FeedItem]) -> Sequence[Prescription]:
    """The prescriptions of these entries, oldest first. One that was approved before them is not among them."""
    found: dict[str, Prescription] = {}
    for item in items:
        id = item.data["prescription_id"]
        if item.type == APPROVED and id not in found:
            found[id] = Prescription(PrescriptionApproved.model_validate(item.data, strict=False))
        elif item.type == WITHDRAWN and id in found:
            withdrawn = PrescriptionWithdrawn.model_validate(item.data, strict=False)
            at, why = withdrawn.withdrawn_at, withdrawn.reason
            found[id] = replace(found[id], withdrawn_at=at, why=why)
    return [*found.values()]


def newest_part(items: Sequence[FeedItem], start: str | None) -> str | None:
    """The cursor after which the `SHOWN` newest approvals are; `start` when there are no more than that."""
    approvals = [index for index, item in enumerate(items) if item.type == APPROVED]
    first = approvals[-SHOWN] if len(approvals) > SHOWN else 0
    return items[first - 1].cursor if first else start
