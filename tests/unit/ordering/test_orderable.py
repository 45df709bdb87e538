"""What can be ordered: the answer for a medicine is what the decision would be."""

import random
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.base import RiskClass
from schemas.medicine_groups import MedicineGroups
from schemas.numbers import LARGEST
from schemas.reasons import ReasonCode
from schemas.records.directory import (
    Approver,
    AutoApprove,
    ExpiredAuthorisation,
    OrderHours,
    Policy,
    Remarks,
)
from schemas.records.medication import Status
from schemas.records.medicines import MedicineList
from schemas.records.orders import DecidedLine, OrderLine, Outcome
from services.ordering.domain import decisions
from services.ordering.domain.history import Earlier
from services.ordering.domain.knowledge import Context
from services.ordering.domain.orderable import Orderable, orderable
from services.ordering.domain.overview import (
    Authorisation,
    Dispensed,
    Entry,
    Overview,
    entry_of,
    read_overview,
)
from tests.harness.made import AMOXICILLINE, METFORMINE, OMEPRAZOL, PRACTICE, an_order, entry
from tests.unit.ordering.story import ANNA, NOON, overview, pharmacy

ELSEWHERE = "01999002"

AUTHORISATIONS = st.builds(
    Authorisation,
    on=st.just(date(2026, 1, 5)),
    until=st.sampled_from([date(2026, 11, 22), date(2026, 11, 23), date(2027, 5, 1)]),
    repeats=st.sampled_from([None, 0, 1, 4]),
)
SUPPLIES = st.builds(
    Dispensed,
    on=st.dates(date(2025, 10, 1), date(2026, 11, 23)),
    quantity=st.sampled_from([Decimal("2.5"), Decimal(90)]),
    days=st.sampled_from([None, 30]),
)


def _group(atc: str, **fields: Any) -> dict[str, Any]:
    names = {"nl": "groep", "en": "group"}
    made = {"atc": [atc], "name": names, "valid_from": "2026-01-01", "sources": ["x"], "sure": "L"}
    return made | fields


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
    days_supply=st.sampled_from([None, 15, 90]),
    last_ordered_on=st.sampled_from([None, "2026-09-10", "2025-11-01", "2026-09", "2026-11-20"]),
    authorisation=st.one_of(st.none(), AUTHORISATIONS),
    atc=st.sampled_from([None, "A10BA02", "L04AX03", "N05BA01"]),
    risk_class=st.sampled_from([None, *RiskClass]),
    control_due=st.sampled_from([None, date(2026, 11, 20), date(2026, 6, 1)]),
    specialist=st.booleans(),
    weekly_packing=st.booleans(),
    dispensed=st.lists(SUPPLIES, max_size=3).map(tuple),
)
EARLIER = st.builds(
    Earlier,
    order_id=st.uuids(),
    line=st.just(1),
    prk=st.sampled_from([METFORMINE[0], OMEPRAZOL[0]]),
    outcome=st.just(Outcome.REVIEW),
    placed_at=st.integers(0, 400).map(lambda days: NOON - timedelta(days=days)),
    approved_at=st.none(),
    quantity=st.sampled_from([None, Decimal(90)]),
)
HISTORIES = st.lists(
    st.one_of(
        EARLIER,
        EARLIER.map(lambda e: replace(e, outcome=Outcome.APPROVED, approved_at=e.placed_at)),
    ),
    max_size=3,
).map(tuple)
GROUPS = MedicineGroups(
    MedicineList.model_validate(
        {
            "name": "nl",
            "version": 2,
            "dated": "2026-11-28",
            "atc_version": "2026",
            "groups": [
                _group("L04AX03", risk_class="A", weekly=True),
                _group("N05BA", risk_class="A"),
                _group("A10", risk_class="C"),
            ],
        },
        strict=False,
    )
)
OVERVIEWS = st.builds(
    Overview,
    practice=st.sampled_from([PRACTICE, ELSEWHERE]),
    version=st.just(4),
    medications=st.lists(ENTRIES, max_size=6).map(tuple),
)
POLICIES = st.builds(
    Policy,
    auto_approve=st.sampled_from(AutoApprove),
    approver=st.sampled_from(Approver),
    approver_class_b=st.sampled_from(Approver),
    expired_authorisation=st.sampled_from(ExpiredAuthorisation),
    too_early_days=st.integers(0, 30),
    too_early_share=st.integers(0, 100),
    most_times_usual=st.sampled_from([Decimal("0.5"), Decimal(1), Decimal(2)]),
    lines_at_most=st.sampled_from([1, 15]),
    remarks=st.sampled_from(Remarks),
    order_hours=st.sampled_from([None, OrderHours(days=("Mo", "We")), OrderHours(first=time(9))]),
    duplicate_other_strength=st.booleans(),
    under_way_days=st.integers(0, 30),
    restart_gap_days=st.sampled_from([30, 365]),
    control_overdue_days=st.integers(0, 60),
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


CONTEXTS = st.builds(
    Context,
    overview=OVERVIEWS,
    pharmacy=PHARMACIES,
    policy=POLICIES,
    policy_version=st.just(1),
    groups=st.sampled_from([None, GROUPS]),
    history=HISTORIES,
)


@for_all(CONTEXTS, TIMES)
@settings(deadline=None, max_examples=200)
def test_what_can_be_ordered_is_what_an_order_of_it_alone_gets(context: Context, at: Any) -> None:
    """Given any overview, history, policy and list, and a pharmacy, also one that is not in the directory."""
    agree(context, at)


def test_they_agree_on_ten_thousand_medicines() -> None:
    """Given the same, drawn at random: faster than by the search for a counter-example."""
    chance = random.Random(18)
    assert sum(agree(drawn(chance), NOON) for _ in range(3_500)) > 10_000


def agree(context: Context, at: Any) -> int:
    """Compare what can be ordered with decisions; the number of medicines."""
    kept = context.overview
    assert kept is not None
    found = orderable(kept, context, at, pharmacy_chosen=True)
    assert [each.medicine.prk for each in found] == [
        *dict.fromkeys(e.prk for e in kept.medications)
    ]
    for each in found:
        decided = place(kept, each.medicine, context, at)
        assert (each.verdict.outcome, each.verdict.reasons) == (decided.outcome, decided.reasons)
        assert (each.verdict.reviewer, each.verdict.signals) == (decided.reviewer, decided.signals)
        if entry_of(kept, each.medicine.prk):
            shown = (each.medicine.medicine, each.medicine.dosage, each.medicine.unit)
            assert shown == (decided.medicine, decided.dosage, decided.unit)
    return len(found)


def drawn(chance: random.Random) -> Context:
    """A context with four medicines."""
    prks = [METFORMINE[0], AMOXICILLINE[0], OMEPRAZOL[0], "1"]
    return Context(
        Overview(PRACTICE, 4, tuple([_drawn_entry(prk, chance) for prk in prks])),
        chance.choice([None, pharmacy(), pharmacy(repeat_service=False)]),
        Policy(
            auto_approve=chance.choice([*AutoApprove]),
            approver=chance.choice([Approver.POLICY, *Approver]),
            approver_class_b=chance.choice([*Approver]),
            expired_authorisation=chance.choice([*ExpiredAuthorisation]),
            too_early_days=chance.randrange(30),
            under_way_days=chance.randrange(30),
            duplicate_other_strength=chance.random() < 0.5,
        ),
        1,
        chance.choice([None, GROUPS]),
        tuple([_drawn_earlier(chance.choice(prks), chance) for _ in range(chance.randrange(3))]),
    )


def _drawn_entry(prk: str, chance: random.Random) -> Entry:
    on = date(2026, 11, 23) - timedelta(days=chance.randrange(400))
    return Entry(
        prk,
        "Iets 5 mg",
        chance.choice([Status.CHRONIC] * 6 + [*Status]),
        chance.choice(["1x daags 1", "1x per week 1", "zo nodig 1"]),
        Decimal(90),
        "stuk",
        chance.random() < 0.1,
        chance.random() < 0.1,
        days_supply=chance.choice([None, 90]),
        last_ordered_on=chance.choice([None, f"{on}"]),
        authorisation=chance.choice(
            [
                None,
                Authorisation(date(2026, 1, 5), on + timedelta(days=300), chance.choice([None, 2])),
            ]
        ),
        atc=chance.choice([None, "A10BA02", "L04AX03", "N05BA01"]),
        control_due=chance.choice([None, None, on]),
        specialist=chance.random() < 0.1,
        weekly_packing=chance.random() < 0.1,
        dispensed=chance.choice([(), (Dispensed(on, Decimal(90), 90),)]),
    )


def _drawn_earlier(prk: str, chance: random.Random) -> Earlier:
    at = NOON - timedelta(days=chance.randrange(200))
    approved = chance.random() < 0.7
    outcome = Outcome.APPROVED if approved else Outcome.REVIEW
    order_id = UUID(int=chance.getrandbits(128))
    return Earlier(order_id, 1, prk, outcome, at, at if approved else None, Decimal(90))


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
