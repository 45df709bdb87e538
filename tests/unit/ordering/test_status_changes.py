"""A medicine whose status changes after a line of it was approved, and before it is dispensed."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from schemas.records.directory import Policy
from schemas.records.medication import Dispensed, MedicationOverview, Status
from schemas.records.orders import (
    OrderLineDecided,
    OrderLineSignalled,
    OrderPlace,
    OrderReview,
    Outcome,
    StatusSignal,
)
from schemas.records.prescriptions import PrescriptionApproved, PrescriptionWithdrawn
from tests.harness.made import GP, OMEPRAZOL, an_order, entry
from tests.unit.ordering.story import ANNA, NOON, Story, approved, given, later, overview

WITHDRAWS = Policy(withdraw_when_stopped=True)
STOPPED = overview(entry(status=Status.STOPPED), version=2)


def decided(order: OrderPlace, outcome: Outcome) -> OrderReview:
    """The GP's decision on the line."""
    return OrderReview.model_validate(
        {
            "order_id": order.order_id,
            "patient": ANNA,
            "line": 1,
            "outcome": outcome,
            "decided_by": GP,
            "explanation": "gestopt" if outcome is Outcome.REFUSED else None,
        }
    )


def signals(story: Story) -> list[StatusSignal]:
    """The signals that were published."""
    return [event.signal for event in story.bodies(OrderLineSignalled)]


@pytest.mark.parametrize(
    ("now", "signal"),
    [
        (STOPPED, StatusSignal.STOPPED),
        (overview(entry(status=Status.TEMPORARY), version=2), StatusSignal.TEMPORARY),
        (overview(entry(OMEPRAZOL), version=2), StatusSignal.REMOVED),
    ],
    ids=["stopped", "temporary", "removed"],
)
def test_the_practice_is_told_and_the_prescription_stands(
    now: MedicationOverview, signal: StatusSignal
) -> None:
    story = given(overview()).when(an_order(ANNA)).when(now, at=later(60))
    story.then(approved())
    assert signals(story) == [signal]
    assert story.order.lines[0].signal is signal
    assert story.bodies(PrescriptionWithdrawn) == []


def test_a_practice_may_have_the_prescription_withdrawn_at_once() -> None:
    story = given(overview(), policy=WITHDRAWS).when(an_order(ANNA)).when(STOPPED, at=later(60))
    (event,) = story.bodies(OrderLineDecided)
    assert (event.outcome, event.reasons[0].code) == (Outcome.REFUSED, "STOPPED_MEDICATION")
    (withdrawn,) = story.bodies(PrescriptionWithdrawn)
    assert withdrawn.withdrawn_at == later(60)
    assert signals(story) == []


def test_a_medicine_that_is_missing_is_told_and_never_withdrawn_by_itself() -> None:
    """It may be a flaw of the practice's system."""
    story = given(overview(), policy=WITHDRAWS).when(an_order(ANNA))
    story.when(overview(entry(OMEPRAZOL), version=2), at=later(60))
    assert signals(story) == [StatusSignal.REMOVED]
    assert story.bodies(PrescriptionWithdrawn) == []


def test_the_same_change_is_told_once() -> None:
    story = given(overview()).when(an_order(ANNA)).when(STOPPED, at=later(60))
    again = overview(entry(status=Status.STOPPED), entry(OMEPRAZOL), version=3)
    story.when(again, at=later(61)).then_nothing()


def test_a_person_withdraws_what_was_stopped() -> None:
    order = an_order(ANNA)
    story = given(overview()).when(order).when(STOPPED, at=later(60))
    story.when(decided(order, Outcome.REFUSED), at=later(70))
    (withdrawn,) = story.bodies(PrescriptionWithdrawn)
    assert withdrawn.reason == "gestopt"
    line = story.order.lines[0]
    assert (line.outcome, line.signal) == (Outcome.REFUSED, None)


def test_a_person_keeps_what_was_stopped_and_no_second_prescription_goes_out() -> None:
    order = an_order(ANNA)
    story = given(overview()).when(order).when(STOPPED, at=later(60))
    story.when(decided(order, Outcome.APPROVED), at=later(70))
    story.then(approved())
    assert story.order.lines[0].signal is None
    assert len(story.bodies(PrescriptionApproved)) == 1
    assert story.bodies(PrescriptionWithdrawn) == []


def test_an_approved_line_without_a_signal_is_not_decided_again() -> None:
    order = an_order(ANNA)
    story = given(overview()).when(order).when(decided(order, Outcome.REFUSED), at=later(1))
    assert story.rejected == "not_in_review"


def test_what_was_dispensed_or_is_long_ago_is_not_told() -> None:
    supply = Dispensed(on=date(2026, 11, 23), quantity=Decimal(90))
    dispensed = overview(entry(status=Status.STOPPED, dispensed=(supply,)), version=2)
    given(overview()).when(an_order(ANNA)).when(dispensed, at=later(60)).then_nothing()
    story = given(overview()).when(an_order(ANNA)).next_batch()
    story.when(STOPPED, at=NOON + timedelta(days=7)).then_nothing()


def test_a_line_that_the_practice_sends_itself_is_never_withdrawn_from_a_pharmacy() -> None:
    order = an_order(ANNA)
    story = given(overview(), pharmacy_in_directory=False).when(order)
    story.when(decided(order, Outcome.APPROVED), at=later(1)).then(approved())
    assert story.order.lines[0].sent_by_practice
    assert story.bodies(PrescriptionApproved) == []
    story.when(STOPPED, at=later(60)).when(decided(order, Outcome.REFUSED), at=later(70))
    assert story.bodies(PrescriptionWithdrawn) == []
