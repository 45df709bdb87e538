"""An approved line whose medicine was stopped since, and that a person keeps, stays as it was sent."""

from decimal import Decimal

from schemas.records.directory import Approver, Policy
from schemas.records.medication import Status
from schemas.records.orders import (
    OrderLineDecided,
    OrderLineSignalled,
    OrderPlace,
    OrderReview,
    Outcome,
)
from schemas.records.prescriptions import PrescriptionApproved, PrescriptionWithdrawn
from tests.harness.made import GP, METFORMINE, a_cancellation, an_order, entry
from tests.unit.ordering.story import ANNA, Story, given, overview

STOPPED = overview(entry(METFORMINE, Status.STOPPED, medicine="Metformine gestopt"), version=2)


def _kept(order: OrderPlace) -> OrderReview:
    return OrderReview(
        order_id=order.order_id,
        patient=ANNA,
        line=1,
        outcome=Outcome.APPROVED,
        quantity=Decimal(30),
        decided_by=GP,
    )


def _signalled(order: OrderPlace) -> Story:
    return given(overview(entry(METFORMINE))).when(order).when(STOPPED)


def test_a_kept_line_has_the_medicine_and_quantity_that_were_sent() -> None:
    order = an_order(ANNA, METFORMINE)

    kept = _signalled(order).when(_kept(order))

    (line,) = kept.order.lines
    (sent,) = kept.bodies(PrescriptionApproved)
    assert (line.outcome, line.signal, line.decided_as) == (
        Outcome.APPROVED,
        None,
        Outcome.APPROVED,
    )
    assert (line.medicine, line.quantity) == (sent.medicine, sent.quantity)
    assert len(kept.bodies(OrderLineSignalled)) == 1


def test_who_approved_a_line_may_keep_it() -> None:
    """The same decision again is no repeat once the medicine was stopped."""
    order = an_order(ANNA, METFORMINE)
    story = given(overview(entry(METFORMINE)), policy=Policy(approver=Approver.GP)).when(order)

    kept = story.when(_kept(order)).when(STOPPED).when(_kept(order))

    assert kept.order.lines[0].signal is None
    assert [event.seq for event in kept.bodies(OrderLineDecided)] == [2, 4]


def test_a_kept_line_that_is_cancelled_later_is_withdrawn() -> None:
    order = an_order(ANNA, METFORMINE)

    cancelled = _signalled(order).when(_kept(order)).when(a_cancellation(order))

    assert len(cancelled.bodies(PrescriptionWithdrawn)) == 1


def test_a_line_that_the_practice_sent_itself_is_never_withdrawn() -> None:
    """Also when its pharmacy is connected by the time that it is kept."""
    order = an_order(ANNA, METFORMINE)
    story = given(overview(entry(METFORMINE)), pharmacy_in_directory=False).when(order)
    story.when(_kept(order)).when(STOPPED)
    story.handler = given().handler

    cancelled = story.when(_kept(order)).when(a_cancellation(order))

    assert [event.seq for event in cancelled.bodies(OrderLineDecided)] == [2, 4]

    assert cancelled.bodies(PrescriptionApproved, PrescriptionWithdrawn) == []
