"""The facts on one line of an order, which the rules read."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol

from msgspec import Struct

from schemas.base import RiskClass
from schemas.coverage import earliest_date
from schemas.records.directory import Policy
from schemas.times import local_date
from services.ordering.domain.knowledge import Asked, Known, KnownLine
from services.ordering.domain.overview import Entry


class AskedOrder(Protocol):
    """What an order says, for the rules."""

    @property
    def practice(self) -> str:
        """The practice (AGB code) where it is ordered."""

    @property
    def remark(self) -> str | None:
        """The remark of whoever orders."""

    @property
    def supply_until(self) -> date | None:
        """Until when a larger supply is asked for."""

    @property
    def lines(self) -> Sequence[Asked]:
        """Its lines."""


class Facts(Struct, frozen=True, gc=False):
    """Everything that the rules read for one line.

    `entry` is the overview's. `placed_on` and `decided_on` are the days (Europe/Amsterdam) on which the order
    was placed and is decided. `orderable_from` is the first day on which it is not too early; None where no
    days can be computed. `together` is the quantity of this medicine in the whole order, None where it is not
    known; `times` in how many of its lines it is.
    """

    asked: Asked
    line: KnownLine
    entry: Entry | None
    known: Known
    policy: Policy
    practice: str
    placed_at: datetime
    placed_on: date
    decided_on: date
    orderable_from: date | None
    together: Decimal | None
    times: int
    lines: int
    remark: str | None
    supply_until: date | None


def facts_of(
    order: AskedOrder, placed_at: datetime, known: Known, policy: Policy
) -> Iterator[Facts]:
    """The facts on each line of an order that was placed at `placed_at` (UTC), by what was known of it."""
    count = len(order.lines)
    placed_on = local_date(placed_at)
    decided_on = placed_on if known.at == placed_at else local_date(known.at)
    for asked, line in zip(order.lines, known.lines, strict=True):
        same = [each for each in order.lines if each.prk == asked.prk] if count > 1 else [asked]
        yield Facts(
            asked,
            line,
            line.entry,
            known,
            policy,
            order.practice,
            placed_at,
            placed_on,
            decided_on,
            orderable_from(line, policy),
            _together(same, line.entry),
            len(same),
            count,
            order.remark,
            order.supply_until,
        )


def orderable_from(line: KnownLine, policy: Policy) -> date | None:
    """The first day on which a medicine is not too early; None where no days can be computed."""
    until, days = line.covered_until, line.supply_days
    if until is None or days is None:
        return None
    careful = line.risk_class is RiskClass.A
    margin = policy.too_early_days_class_a if careful else policy.too_early_days
    return earliest_date(until, days, margin, policy.too_early_share)


def _together(same: Sequence[Asked], entry: Entry | None) -> Decimal | None:
    usual = entry.quantity if entry else None
    if len(same) == 1:
        return same[0].quantity or usual
    quantities = [each.quantity or usual for each in same]
    given = [quantity for quantity in quantities if quantity is not None]
    return sum(given, Decimal()) if len(given) == len(quantities) else None
