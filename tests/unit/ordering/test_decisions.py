"""Decisions during the life of an order: waiting, reviews, cancellations, repeats."""

from decimal import Decimal
from uuid import UUID

import pytest

from schemas.base import Actor, Reviewer, Role
from schemas.reasons import ReasonCode
from schemas.records.medication import Status
from schemas.records.orders import (
    OrderCancelled,
    OrderDecided,
    OrderLineDecided,
    OrderPlace,
    OrderReview,
    OrderState,
    OrderTimer,
    Outcome,
)
from schemas.records.prescriptions import PrescriptionApproved, PrescriptionWithdrawn
from services.ordering.domain.events import prescription_id
from tests.harness.made import (
    AMOXICILLINE,
    GP,
    METFORMINE,
    OMEPRAZOL,
    PHARMACY,
    PRACTICE,
    a_cancellation,
    an_order,
    entry,
)
from tests.unit.ordering.story import (
    ANNA,
    BERT,
    NOON,
    Story,
    approved,
    cancelled,
    e_consult,
    given,
    later,
    overview,
    refused,
    review,
    seqs,
    waits,
)

ORDER = UUID("0192aaaa-0000-7000-8000-000000000001")
TEMPORARY = ReasonCode.TEMPORARY_MEDICATION
UNKNOWN = ReasonCode.UNKNOWN_PATIENT
HIGH_RISK = ReasonCode.HIGH_RISK_MEDICATION

BOTH = overview(entry(METFORMINE), entry(AMOXICILLINE, Status.TEMPORARY))


def decided(order: OrderPlace, line: int = 1, outcome: Outcome = Outcome.APPROVED) -> OrderReview:
    """The GP's review of one line."""
    return OrderReview.model_validate(
        {
            "order_id": order.order_id,
            "patient": order.patient,
            "line": line,
            "outcome": outcome,
            "decided_by": GP,
        }
    )


def overdue(order: OrderPlace) -> OrderTimer:
    """The timer that the order set at noon."""
    return OrderTimer(
        order_id=order.order_id, patient=order.patient, kind="overview_overdue", due_at=later(60)
    )


def in_review(order: OrderPlace) -> Story:
    """Start with the order's metformine in review, because it is high risk."""
    return given(overview(entry(high_risk=True), entry(OMEPRAZOL))).when(order)


def test_the_first_event_has_the_whole_decision() -> None:
    order = an_order(ANNA, METFORMINE, AMOXICILLINE)
    (event,) = given(BOTH).when(order).bodies(OrderDecided)
    assert event.seq == 1
    assert event.placed_at == event.decided_at == NOON
    assert (event.overview_version, event.policy_version) == (1, 3)
    assert event.state is OrderState.PARTLY_APPROVED
    assert [line.outcome for line in event.lines] == [Outcome.APPROVED, Outcome.REFUSED]
    assert event.lines[1].reasons[0].code is TEMPORARY


def test_a_prescription_carries_the_order_and_the_overviews_dosage() -> None:
    stored = overview(entry(dosage="2x daags 1"))
    order = an_order(ANNA, order_id=ORDER)
    (prescription,) = given(stored).when(order).bodies(PrescriptionApproved)
    assert prescription.prescription_id == prescription_id(ORDER, 1)
    assert (prescription.order_id, prescription.line, prescription.quantity) == (ORDER, 1, 90)
    assert prescription.dosage == "2x daags 1"
    assert prescription.approved_by == Actor(role=Role.POLICY, id=f"{PRACTICE} v3")


def test_prescription_ids_differ_by_order_and_line_and_never_change() -> None:
    assert prescription_id(ORDER, 1) == UUID("acbe3a5b-5283-560b-b1bb-cc34bff05e7a")
    assert prescription_id(ORDER, 99) == UUID("28984b67-ca74-54db-9267-43cf971e3f67")
    other = UUID(int=1)
    assert len({prescription_id(o, n) for o in (ORDER, other) for n in (1, 2)}) == 4


def test_the_same_order_again_changes_nothing() -> None:
    order = an_order(ANNA)
    given(overview()).when(order).when(order, at=later(5)).then_nothing()


def test_another_order_under_the_same_id_is_refused_and_changes_nothing() -> None:
    order = an_order(ANNA)
    story = given(overview()).when(order).when(an_order(ANNA, OMEPRAZOL, order_id=order.order_id))
    assert story.rejected == "order_conflict"
    story.then(approved())


def test_another_patient_under_the_same_id_is_refused() -> None:
    order = an_order(ANNA)
    story = given(overview()).when(order).when(an_order(BERT, order_id=order.order_id))
    assert story.rejected == "order_conflict"
    assert story.order.patient == ANNA


def test_the_overview_that_arrives_decides_each_waiting_line_with_the_next_seq() -> None:
    story = given().when(an_order(ANNA, METFORMINE, AMOXICILLINE)).when(BOTH, at=later(1))
    story.then(approved(), refused(TEMPORARY))
    events = story.bodies(OrderDecided, OrderLineDecided)
    assert seqs(events) == [1, 2, 3]
    assert events[0].state is OrderState.WAITING
    assert [e.decided_at for e in events[1:]] == [later(1), later(1)]
    assert len(story.bodies(PrescriptionApproved)) == 1


def test_an_overview_changes_nothing_for_orders_that_do_not_wait() -> None:
    story = given(BOTH).when(an_order(ANNA, METFORMINE, AMOXICILLINE))
    story.when(overview(entry(METFORMINE), entry(AMOXICILLINE), version=2)).then_nothing()
    story.then(approved(), refused(TEMPORARY))


def test_a_waiting_order_can_go_into_review() -> None:
    story = given().when(an_order(ANNA)).when(overview(entry(high_risk=True)))
    story.then(review(HIGH_RISK))
    assert story.bodies(PrescriptionApproved) == []


def test_an_order_whose_overview_does_not_come_goes_to_a_person_and_is_never_refused() -> None:
    order = an_order(ANNA, METFORMINE, OMEPRAZOL)
    story = given().when(order).when(overdue(order), at=later(60))
    story.then(review(UNKNOWN), review(UNKNOWN))
    events = story.bodies(OrderLineDecided)
    assert seqs(events) == [2, 3]
    assert {e.decided_by.role for e in events} == {Role.SYSTEM}
    assert {e.reviewer for e in events} == {Reviewer.ASSISTANT}


def test_an_overview_that_comes_after_all_decides_what_nobody_has_decided_yet() -> None:
    order = an_order(ANNA)
    story = given().when(order).when(overdue(order), at=later(60)).when(overview(), at=later(61))
    story.then(approved())
    assert seqs(story.bodies(OrderLineDecided)) == [2, 3]


def test_an_overview_that_comes_after_a_person_decided_changes_nothing() -> None:
    order = an_order(ANNA)
    story = given().when(order).when(overdue(order), at=later(60))
    story.when(decided(order, outcome=Outcome.REFUSED), at=later(61)).when(overview(), at=later(62))
    story.then_nothing()
    story.then(refused())


def test_a_timer_of_a_decided_order_changes_nothing() -> None:
    order = an_order(ANNA)
    story = given().when(order, overview()).when(overdue(order), at=later(60))
    story.then_nothing()
    story.then(approved())


def test_a_timer_of_a_cancelled_order_changes_nothing() -> None:
    order = an_order(ANNA)
    story = given().when(order, a_cancellation(order)).when(overdue(order), at=later(60))
    story.then_nothing()


def test_a_timer_of_an_unknown_order_changes_nothing() -> None:
    given().when(overdue(an_order(ANNA)), at=later(60)).then_nothing()


def test_the_approval_of_a_line_in_review_names_the_reviewer() -> None:
    order = an_order(ANNA)
    story = in_review(order).when(decided(order), at=later(5))
    story.then(approved())
    (event,) = story.bodies(OrderLineDecided)
    (prescription,) = story.bodies(PrescriptionApproved)
    assert (event.seq, event.decided_by, event.decided_at) == (2, GP, later(5))
    assert (prescription.approved_by, prescription.approved_at) == (GP, later(5))


def test_a_reviewer_may_approve_another_quantity() -> None:
    order = an_order(ANNA)
    fewer = decided(order).model_copy(
        update={"quantity": Decimal(30), "explanation": "eerst controle"}
    )
    story = in_review(order).when(fewer)
    (event,) = story.bodies(OrderLineDecided)
    (prescription,) = story.bodies(PrescriptionApproved)
    assert (event.quantity, event.explanation) == (30, "eerst controle")
    assert prescription.quantity == story.order.lines[0].quantity == 30


@pytest.mark.parametrize("outcome", [Outcome.REFUSED, Outcome.E_CONSULT])
def test_a_review_without_approval_publishes_no_prescription(outcome: Outcome) -> None:
    order = an_order(ANNA)
    story = in_review(order).when(decided(order, outcome=outcome))
    assert story.order.lines[0].outcome is outcome
    assert story.bodies(PrescriptionApproved) == []


def test_a_review_does_not_change_the_other_lines() -> None:
    order = an_order(ANNA, METFORMINE, OMEPRAZOL)
    story = in_review(order).when(decided(order, line=1, outcome=Outcome.REFUSED))
    story.then((Outcome.REFUSED, []), approved())
    assert story.order.state is OrderState.PARTLY_APPROVED


@pytest.mark.parametrize("line", [2, 3])
def test_a_review_of_a_line_that_is_not_in_review_is_refused(line: int) -> None:
    order = an_order(ANNA, METFORMINE, OMEPRAZOL)
    assert in_review(order).when(decided(order, line=line)).rejected == "not_in_review"


def test_a_review_of_a_cancelled_order_is_refused() -> None:
    order = an_order(ANNA)
    story = in_review(order).when(a_cancellation(order), decided(order))
    assert story.rejected == "not_in_review"


@pytest.mark.parametrize("patient", [ANNA, BERT])
def test_a_review_of_an_unknown_or_another_patients_order_is_refused(patient: str) -> None:
    order = an_order(ANNA)
    story = in_review(order) if patient == BERT else given()
    story.when(decided(order).model_copy(update={"patient": patient}))
    assert story.rejected == "unknown_order"


def test_a_cancellation_cancels_open_lines_and_withdraws_only_approved_ones() -> None:
    order = an_order(ANNA, METFORMINE, OMEPRAZOL, AMOXICILLINE)
    story = in_review(order).when(a_cancellation(order), at=later(2))
    story.then(cancelled(HIGH_RISK), cancelled(), e_consult())
    (event,) = story.bodies(OrderCancelled)
    (withdrawn,) = story.bodies(PrescriptionWithdrawn)
    assert (event.seq, event.lines, event.cancelled_at) == (2, (1, 2), later(2))
    assert withdrawn.prescription_id == prescription_id(order.order_id, 2)
    assert withdrawn.pharmacy == PHARMACY
    assert story.order.state is OrderState.CANCELLED


def test_a_second_cancellation_changes_nothing() -> None:
    order = an_order(ANNA)
    given(overview()).when(order, a_cancellation(order), a_cancellation(order)).then_nothing()


def test_a_cancellation_of_an_order_without_open_lines_changes_nothing() -> None:
    order = an_order(ANNA, OMEPRAZOL)
    story = given(overview()).when(order, a_cancellation(order))
    story.then_nothing()
    assert story.order.state is OrderState.REFUSED


def test_a_cancelled_waiting_order_is_not_decided_afterwards() -> None:
    order = an_order(ANNA)
    story = given().when(order, a_cancellation(order), overview())
    story.then(cancelled(ReasonCode.STATUS_NOT_KNOWN_YET))
    assert story.bodies(PrescriptionApproved, PrescriptionWithdrawn) == []


def test_the_same_order_again_after_its_cancellation_changes_nothing() -> None:
    order = an_order(ANNA)
    given(overview()).when(order, a_cancellation(order), order).then_nothing()


@pytest.mark.parametrize("patient", [ANNA, BERT])
def test_a_cancellation_of_an_unknown_or_another_patients_order_is_refused(
    patient: str,
) -> None:
    order = an_order(ANNA)
    story = given(overview())
    if patient == BERT:
        story.when(order)
    story.when(a_cancellation(order).model_copy(update={"patient": patient}))
    assert story.rejected == "unknown_order"


def test_a_waiting_order_still_waits_for_another_patients_overview() -> None:
    given().when(an_order(ANNA), overview(patient=BERT)).then(waits())
