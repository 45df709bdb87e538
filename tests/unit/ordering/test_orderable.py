"""What can be ordered: the answer for a medicine is what the decision would be."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from schemas.numbers import LARGEST
from schemas.reasons import ReasonCode
from schemas.records.directory import Pharmacy, Policy
from schemas.records.medication import Status
from schemas.records.orders import DecidedLine, OrderLine, Outcome
from services.ordering.domain import decisions
from services.ordering.domain.decisions import Context
from services.ordering.domain.orderable import Orderable, orderable
from services.ordering.domain.overview import Entry, Overview, entry_of, read_overview
from tests.harness.made import AMOXICILLINE, METFORMINE, OMEPRAZOL, PRACTICE, an_order, entry
from tests.unit.ordering.story import ANNA, NOON, overview, pharmacy

ELSEWHERE = "01999002"

ENTRIES = st.builds(
    Entry,
    prk=st.sampled_from([METFORMINE[0], AMOXICILLINE[0], OMEPRAZOL[0], "1"]),
    medicine=st.sampled_from([METFORMINE[1], OMEPRAZOL[1], "Iets 5 mg", "*"]),
    status=st.sampled_from(Status),
    dosage=st.sampled_from(["1x daags 1", "2x daags 1", "", "1x per week 1 " * 142]),
    quantity=st.sampled_from([Decimal("0.5"), Decimal(90), Decimal(60_000), LARGEST]),
    unit=st.sampled_from(["stuk", "ml"]),
    high_risk=st.booleans(),
    repeat_service=st.booleans(),
    incomplete=st.booleans(),
)
OVERVIEWS = st.builds(
    Overview,
    practice=st.sampled_from([PRACTICE, ELSEWHERE]),
    version=st.just(4),
    medications=st.lists(ENTRIES, max_size=6).map(tuple),
)
POLICIES = st.builds(
    Policy, **{name: st.booleans() for name in Policy.model_fields if name.startswith("review_")}
)
PHARMACIES = st.sampled_from([None, pharmacy(), pharmacy(repeat_service=False)])
TIMES = st.integers(0, 10**6).map(lambda minutes: NOON + timedelta(minutes=minutes))


def place(kept: Overview, medicine: Entry, context: Context, at: Any = NOON) -> DecidedLine:
    """The decision on an order of just this."""
    line = OrderLine(
        line=1, prk=medicine.prk, medicine=medicine.medicine, quantity=medicine.quantity
    )
    order = an_order(ANNA, practice=kept.practice).model_copy(update={"lines": (line,)})
    (decided,) = decisions.place(order, at, context).event.lines
    return decided


@for_all(OVERVIEWS, POLICIES, PHARMACIES, TIMES)
@settings(deadline=None, max_examples=300)
def test_what_can_be_ordered_is_what_an_order_of_it_alone_gets(
    kept: Overview, policy: Policy, where: Pharmacy | None, at: Any
) -> None:
    """Given any overview and policy, and a pharmacy, also one that is not in the directory."""
    context = Context(kept, where, policy, 1)
    found = orderable(kept, context, at, pharmacy_chosen=True)
    assert [each.medicine.prk for each in found] == [
        *dict.fromkeys(e.prk for e in kept.medications)
    ]
    for each in found:
        decided = place(kept, each.medicine, context, at)
        assert (each.verdict.outcome, each.verdict.reasons) == (decided.outcome, decided.reasons)
        if entry_of(kept, each.medicine.prk):
            shown = (each.medicine.medicine, each.medicine.dosage, each.medicine.unit)
            assert shown == (decided.medicine, decided.dosage, decided.unit)


@for_all(OVERVIEWS, POLICIES)
@settings(deadline=None)
def test_without_a_pharmacy_it_is_as_at_one_with_a_repeat_service(
    kept: Overview, policy: Policy
) -> None:
    """So nothing is said of an unknown pharmacy, and what a repeat service supplies need not be ordered."""
    chosen = orderable(kept, Context(kept, pharmacy(), policy, 1), NOON, pharmacy_chosen=True)
    none = orderable(kept, Context(kept, None, policy, 1), NOON, pharmacy_chosen=False)
    assert none == chosen


def told(*found: Orderable) -> list[tuple[Outcome, list[ReasonCode]]]:
    """The outcome and the codes of each."""
    return [(each.verdict.outcome, [r.code for r in each.verdict.reasons]) for each in found]


def test_a_medicine_has_all_its_reasons_and_the_overviews_order() -> None:
    kept = read_overview(
        overview(
            entry(OMEPRAZOL, high_risk=True),
            entry(METFORMINE),
            entry(AMOXICILLINE, Status.STOPPED, repeat_service=True),
        )
    )
    context = Context(kept, pharmacy(), Policy(), 1)
    assert told(*orderable(kept, context, NOON, pharmacy_chosen=True)) == [
        (Outcome.REVIEW, [ReasonCode.HIGH_RISK_MEDICATION]),
        (Outcome.APPROVED, []),
        (
            Outcome.REFUSED,
            [ReasonCode.STOPPED_MEDICATION, ReasonCode.COVERED_BY_REPEAT_SERVICE],
        ),
    ]


def test_two_dosages_of_one_medicine_are_one_medicine_in_their_quantity_together() -> None:
    kept = read_overview(
        overview(
            entry(METFORMINE, quantity=90),
            entry(OMEPRAZOL),
            entry(METFORMINE, quantity=30, dosage="za en zo 2"),
        )
    )
    found = orderable(kept, Context(kept, pharmacy(), Policy(), 1), NOON, pharmacy_chosen=True)
    assert [(each.medicine.prk, each.medicine.quantity) for each in found] == [
        (METFORMINE[0], Decimal(120)),
        (OMEPRAZOL[0], Decimal(180)),
    ]
    assert told(*found) == [(Outcome.APPROVED, []), (Outcome.APPROVED, [])]


def test_what_is_more_together_than_a_line_can_have_is_shown_as_the_most_that_it_can() -> None:
    kept = read_overview(
        overview(entry(quantity=100_000), entry(quantity=100_000, dosage="za en zo 2"))
    )
    (found,) = orderable(kept, Context(kept, None, Policy(), 1), NOON, pharmacy_chosen=False)
    assert found.medicine.quantity == LARGEST
