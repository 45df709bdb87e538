"""Histories of a practice for trials: any overviews, orders, reviews and cancellations, under any policy."""

from collections.abc import Iterator, Sequence
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from runtime.messages.encoding import decoder, encode_parts
from schemas.base import Body, RiskClass, Role
from schemas.records.directory import (
    Approver,
    AutoApprove,
    ExpiredAuthorisation,
    OrderHours,
    Policy,
    Remarks,
)
from schemas.records.medication import Authorisation, Dispensed, Status
from schemas.records.orders import OrderLine, OrderPlace, OrderReview, OrderTimer, Outcome
from services.ordering.domain.trial import PastNote, PastOrder, Trial, judge
from tests.harness.made import AMOXICILLINE, GP, METFORMINE, OMEPRAZOL, a_cancellation, an_order
from tests.harness.made import entry as listed
from tests.unit.ordering.story import ANNA, NOON, Story, given, later, overview

_IDS = [UUID(int=0x0192AAAA00007000800000000000 << 16 | n) for n in range(1, 4)]
_DAYS = st.integers(-500, 90).map(lambda days: (NOON + timedelta(days=days)).date())
_AUTHORISED = st.builds(
    lambda on, days, repeats: Authorisation(
        by=Role.GP, on=on, until=on + timedelta(days=days), repeats=repeats
    ),
    *(_DAYS, st.integers(0, 700), st.sampled_from([None, 1, 3])),
)
_SUPPLIES = st.lists(
    st.builds(Dispensed, on=_DAYS, quantity=st.sampled_from([Decimal(30), Decimal(180)])),
    max_size=2,
)

POLICIES = st.builds(
    Policy,
    auto_approve=st.sampled_from(AutoApprove),
    approver=st.sampled_from(Approver),
    approver_class_b=st.sampled_from(Approver),
    expired_authorisation=st.sampled_from(ExpiredAuthorisation),
    too_early_days=st.integers(0, 60),
    too_early_share=st.integers(0, 100),
    most_times_usual=st.sampled_from([Decimal("0.5"), Decimal(1), Decimal(3)]),
    larger_supply_assistant_days=st.integers(0, 100),
    lines_at_most=st.integers(1, 4),
    remarks=st.sampled_from(Remarks),
    remark_length=st.sampled_from([1, 500]),
    order_hours=st.sampled_from(
        [None, OrderHours(days=("Mo", "Tu"), first=time(8), last=time(17))]
    ),
    duplicate_other_strength=st.booleans(),
    under_way_days=st.integers(0, 30),
    restart_gap_days=st.sampled_from([30, 365]),
    control_overdue_days=st.integers(0, 100),
    withdraw_when_stopped=st.booleans(),
)


@st.composite
def _overviews(draw: st.DrawFn) -> Body:
    """Any overview, also one that calls a medicine otherwise than before."""
    medicines = draw(
        st.sets(st.sampled_from([METFORMINE, AMOXICILLINE, OMEPRAZOL]), min_size=1).map(sorted)
    )
    return overview(*[_entry(draw, what) for what in medicines], version=draw(st.integers(1, 9)))


def _entry(draw: st.DrawFn, what: tuple[str, str]) -> Any:
    called = draw(st.sampled_from([what[1], what[1], "Oxycodon 80 mg tablet"]))
    return listed(
        (what[0], called),
        draw(st.sampled_from([Status.CHRONIC, Status.CHRONIC, *Status])),
        quantity=draw(st.sampled_from([30, 180])),
        dosage=draw(st.sampled_from(["1x daags 1", "2x daags 1", "zo nodig", "1x per week 1"])),
        days_supply=draw(st.sampled_from([None, 30, 90])),
        high_risk=draw(st.booleans()),
        repeat_service=draw(st.sampled_from([False, False, True])),
        authorisation=draw(st.none() | _AUTHORISED),
        risk_class=draw(st.sampled_from([None, *RiskClass])),
        control_due=draw(st.none() | _DAYS),
        specialist=draw(st.booleans()),
        weekly_packing=draw(st.booleans()),
        dispensed=tuple(draw(_SUPPLIES)),
    )


@st.composite
def _orders(draw: st.DrawFn) -> OrderPlace:
    medicines = draw(
        st.lists(st.sampled_from([METFORMINE, AMOXICILLINE, OMEPRAZOL]), min_size=1, max_size=3)
    )
    quantities = st.sampled_from([None, Decimal(30), Decimal(180), Decimal(400)])
    lines = [
        OrderLine(line=n, prk=prk, medicine=medicine, quantity=draw(quantities))
        for n, (prk, medicine) in enumerate(medicines, start=1)
    ]
    return an_order(ANNA, order_id=draw(st.sampled_from(_IDS))).model_copy(
        update={
            "lines": tuple(lines),
            "remark": draw(st.sampled_from([None, "Graag bellen"])),
            "supply_until": draw(st.sampled_from([None, date(2026, 12, 31), date(2027, 6, 1)])),
        }
    )


def _review(id: UUID, line: int, outcome: Outcome, quantity: int | None) -> OrderReview:
    fields = {"order_id": id, "patient": ANNA, "line": line, "outcome": outcome}
    return OrderReview.model_validate(fields | {"decided_by": GP, "quantity": quantity})


_REVIEWS = st.builds(
    _review,
    st.sampled_from(_IDS),
    st.integers(1, 3),
    st.sampled_from([Outcome.APPROVED, Outcome.REFUSED]),
    st.sampled_from([None, 15, 90]),
)
_OTHERS: st.SearchStrategy[Body] = st.sampled_from(_IDS).flatmap(
    lambda id: st.sampled_from(
        [
            a_cancellation(an_order(ANNA, order_id=id)),
            OrderTimer(order_id=id, patient=ANNA, kind="overview_overdue", due_at=later(60)),
        ]
    )
)
HISTORIES = st.lists(
    st.tuples(
        st.one_of(_orders(), _orders(), _overviews(), _REVIEWS, _OTHERS),
        st.integers(0, 40 * 24 * 60),
    ),
    max_size=14,
)
"""What happens, each so many minutes after what was before."""


def lived(history: Sequence[tuple[Body, int]], policy: Policy) -> Story:
    """What became of all that under this policy."""
    story, at = given(overview(), policy=policy), NOON - timedelta(days=200)
    for body, minutes in history:
        at += timedelta(minutes=minutes)
        story.when(body, at=at)
    return story


def past(story: Story) -> Iterator[tuple[PastOrder, list[PastNote]]]:
    """The orders with their journals, as they are read from the database."""
    read_order, read_notes = decoder(PastOrder).decode, decoder(PastNote).decode_lines
    for id, order in story.work.orders.current.items():
        journal = b"\n".join(encode_parts(note) for note in story.work.notes[id])
        yield read_order(encode_parts(order)), read_notes(journal)


def tried(story: Story, policy: Policy) -> Trial:
    """Try a policy on everything."""
    trial = Trial()
    for order, notes in past(story):
        trial.add(judge(order, notes, policy))
    return trial
