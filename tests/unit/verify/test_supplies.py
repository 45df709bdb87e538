"""The checker computes the first day of a medicine by itself, and comes to the same day as ordering."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.records.directory import Policy
from schemas.records.medication import Status
from schemas.records.orders import OrderLine, Outcome
from services.ordering.domain import overview
from services.ordering.domain.facts import facts_of
from services.ordering.domain.history import Earlier
from services.ordering.domain.knowledge import Context, gather
from tests.harness.made import METFORMINE, PRACTICE, an_order
from verify.notes import Dispensed, Entry
from verify.supplies import Approved, first_day

TODAY = date(2026, 11, 23)
NOON = time(12, tzinfo=UTC)
POLICY = Policy()


def entry(**changes: Any) -> Entry:
    """Metformine, a tablet a day, 90 at a time."""
    fields: dict[str, Any] = {
        "prk": METFORMINE[0],
        "medicine": METFORMINE[1],
        "status": Status.CHRONIC,
        "dosage": "1x daags 1",
        "quantity": Decimal(90),
        "unit": "stuk",
        "high_risk": False,
        "repeat_service": False,
    }
    return Entry(**(fields | changes))


def day(ago: int) -> date:
    """So many days before today."""
    return TODAY - timedelta(days=ago)


def first(of: Entry, *approved: Approved) -> date | None:
    """The first day by the default policy."""
    return first_day(of, approved, POLICY.too_early_days, POLICY.too_early_share)


SUPPLIED = entry(dispensed=(Dispensed(day(0), Decimal(90)),))


@pytest.mark.parametrize(
    ("of", "approved", "expected"),
    [
        (entry(), (), None),
        (SUPPLIED, (), day(-89 + 14)),
        (entry(), (Approved(day(0), None),), day(-89 + 14)),
        (entry(), (Approved(day(0), Decimal(30)),), day(-29 + 7)),
        (entry(last_ordered_on=f"{day(10)}"), (), day(10 - 89 + 14)),
        (entry(last_ordered_on="2026-11"), (), None),
        (entry(dosage="zo nodig 1", days_supply=90), (Approved(day(0), None),), None),
        (entry(dosage="onleesbaar", days_supply=30), (Approved(day(0), None),), day(-29 + 7)),
    ],
)
def test_the_first_day(of: Entry, approved: tuple[Approved, ...], expected: date | None) -> None:
    assert first(of, *approved) == expected


def test_what_was_approved_before_it_was_dispensed_counts_once() -> None:
    assert first(SUPPLIED, Approved(day(2), None)) == first(SUPPLIED)


def test_stock_is_carried_over() -> None:
    assert first(entry(), Approved(day(40), None), Approved(day(10), None)) == day(40 - 179 + 14)


AGO = st.integers(0, 400)
QUANTITY = st.sampled_from([Decimal(n) for n in (1, 30, 90, 180)])
ENTRIES = st.builds(
    entry,
    dosage=st.sampled_from(
        ["1x daags 1", "2x daags 1", "2x per week 1", "zo nodig 1", "zn", "volgens schema", "?"]
    ),
    days_supply=st.sampled_from([None, 1, 30, 90]),
    last_ordered_on=st.none() | AGO.map(lambda ago: f"{day(ago)}"),
    dispensed=st.lists(
        st.builds(Dispensed, AGO.map(day), QUANTITY, st.sampled_from([None, 1, 14, 90])),
        max_size=4,
    ).map(tuple),
)
APPROVED = st.lists(st.builds(Approved, AGO.map(day), st.none() | QUANTITY), max_size=4)


@settings(max_examples=300, deadline=None, database=None)
@given(ENTRIES, APPROVED)
def test_ordering_computes_the_same_day(of: Entry, approved: list[Approved]) -> None:
    assert first(of, *approved) == _by_ordering(of, approved)


def _by_ordering(of: Entry, approved: list[Approved]) -> date | None:
    listed = msgspec.convert(of, overview.Entry, from_attributes=True)
    earlier = tuple(_earlier(number, *each) for number, each in enumerate(approved, start=1))
    known_overview = overview.Overview(PRACTICE, 1, (listed,))
    context = Context(known_overview, None, POLICY, None, None, earlier)
    order = an_order("pat_test0001", lines=(OrderLine(line=1, prk=of.prk, medicine=of.medicine),))
    now = datetime.combine(TODAY, NOON)
    known = gather(order.lines, order.order_id, context, now)
    (facts,) = facts_of(order, now, known, POLICY)
    return facts.orderable_from


def _earlier(number: int, on: date, quantity: Decimal | None) -> Earlier:
    at = datetime.combine(on, NOON)
    return Earlier(UUID(int=number), 1, METFORMINE[0], Outcome.APPROVED, at, at, quantity)
