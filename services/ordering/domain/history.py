"""What a patient ordered before, as far as the rules read it: what is under way, and what was approved."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TypeAlias
from uuid import UUID

from msgspec import Struct

from schemas.records.directory import MOST_DAYS_UNDER_WAY
from schemas.records.orders import Outcome
from services.ordering.domain.order import OPEN, Line, Order

KEPT = timedelta(days=550)
"""How long an approved line is kept: longer than an authorisation or the gap after which one starts again."""

MOST_OF_A_MEDICINE = 100
"""How many lines of one medicine are kept: more than anybody orders, and so few that the row stays small."""


class Earlier(Struct, frozen=True, gc=False, array_like=True):
    """One line of an order that is under way or was approved; `approved_at` is None before. Times are UTC.

    A refused or cancelled line is left out, so that it uses up no repeat of an authorisation.
    """

    order_id: UUID
    line: int
    prk: str
    outcome: Outcome
    placed_at: datetime
    approved_at: datetime | None
    quantity: Decimal | None


History: TypeAlias = tuple[Earlier, ...]
"""A patient's lines, in the order in which their orders were decided first."""


def with_order(history: History, order: Order, at: datetime) -> History:
    """The history after something happened to this order at `at` (UTC); it follows from the order's state.

    An order keeps its place, so what came before it is known when it is decided again.
    """
    kept = [each for each in history if _is_kept(each, at)]
    place = _place(kept, order.order_id)
    others = [each for each in kept if each.order_id != order.order_id]
    lines = [_earlier(order, line) for line in order.lines if line.outcome in OPEN]
    return _newest((*others[:place], *lines, *others[place:]))


def before(history: History, order_id: UUID) -> History:
    """What was ordered before this order; everything, for an order that is not among them."""
    return history[: _place(history, order_id)]


def _place(history: Sequence[Earlier], order_id: UUID) -> int:
    """Where this order's lines begin; the end, for an order that is not among them."""
    places = (n for n, each in enumerate(history) if each.order_id == order_id)
    return next(places, len(history))


def concerned_by_overview(history: History, at: datetime) -> Sequence[UUID]:
    """The orders that an overview which arrives at `at` (UTC) may concern, those placed first first."""
    since = at - timedelta(days=MOST_DAYS_UNDER_WAY)
    found = [each for each in history if each.approved_at is None or each.approved_at > since]
    return list(dict.fromkeys(each.order_id for each in found))


def _newest(history: History) -> History:
    """The history without the oldest approved lines of a medicine that has too many."""
    if len(history) <= MOST_OF_A_MEDICINE:
        return history
    counts = Counter[str]()
    kept = []
    for each in reversed(history):
        counts[each.prk] += 1
        if each.approved_at is None or counts[each.prk] <= MOST_OF_A_MEDICINE:
            kept.append(each)
    return tuple(reversed(kept))


def _is_kept(earlier: Earlier, at: datetime) -> bool:
    return earlier.approved_at is None or earlier.approved_at > at - KEPT


def _earlier(order: Order, line: Line) -> Earlier:
    approved = line.outcome is Outcome.APPROVED
    return Earlier(
        order.order_id,
        line.number,
        line.prk,
        line.outcome,
        order.placed_at,
        (line.decided_at or order.placed_at) if approved else None,
        line.quantity,
    )
