"""The message and the promise for each order event."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.base import Actor, Channel, Role
from schemas.reasons import Reason, ReasonCode
from schemas.records.notifications import Kind
from schemas.records.orders import OrderEvent, OrderFulfilment, Outcome
from services.notification.domain.decisions import (
    Decision,
    Parties,
    PatientMessage,
    Repeated,
    decide,
)
from services.notification.domain.messages import Answer, Cancellation, NoPickup, OtherLine
from services.notification.domain.order import Line, Order
from services.notification.domain.pickup import Window
from tests.unit.notification.made import (
    MONDAY,
    ORDER_ID,
    PATIENT,
    a_line,
    a_pharmacy,
    a_practice,
    amsterdam,
    cancelled,
    decided,
    line_decided,
    no_parties,
    parties,
)

ARRIVED = datetime(2026, 11, 23, 9, 12, 1, tzinfo=UTC)

METFORMINE = a_line("Metformine 500 mg tablet", Outcome.APPROVED)
TEMPORARY = a_line(
    "Amoxicilline 500 mg capsule",
    Outcome.REFUSED,
    Reason(code=ReasonCode.TEMPORARY_MEDICATION),
    number=2,
)


def _decision(
    event: OrderEvent, order: Order | None = None, given: Parties | None = None
) -> Decision:
    decision = decide(event, order, given or parties(), ARRIVED)
    assert isinstance(decision, Decision)
    return decision


def _answer(message: PatientMessage | None) -> Answer:
    assert message is not None
    assert isinstance(message.facts, Answer)
    return message.facts


def _fulfilment(seq: int) -> OrderFulfilment:
    return OrderFulfilment(
        order_id=ORDER_ID,
        seq=seq,
        patient=PATIENT,
        practice="01999001",
        pharmacy="02999001",
        channel=Channel.PORTAL,
        line=1,
        status="ready",
        at=MONDAY,
    )


def test_a_decided_order_has_one_answer_with_a_window_that_is_promised() -> None:
    decision = _decision(decided(METFORMINE, TEMPORARY))
    answer = _answer(decision.message)
    assert answer.window == Window(amsterdam("2026-11-25 15:30"), amsterdam("2026-11-25 17:30"))
    assert decision.message == PatientMessage(Kind.ORDER_ANSWER, answer)
    assert [line.outcome for line in answer.lines] == [Outcome.APPROVED, Outcome.REFUSED]
    promise = decision.promise
    assert promise is not None
    assert (promise.lines, promise.from_, promise.until) == (
        (1,),
        answer.window.start,
        answer.window.until,
    )
    assert promise.promised_at == ARRIVED
    assert promise.rule == "practice 01999001 v3: before 11:00, 2 working days"


def test_an_order_without_an_approved_line_has_no_promise_and_no_reason_for_that() -> None:
    decision = _decision(decided(TEMPORARY))
    answer = _answer(decision.message)
    assert (answer.window, answer.no_pickup, decision.promise) == (None, None, None)


def test_a_reason_is_stored_with_its_sentences() -> None:
    (reason,) = _answer(_decision(decided(TEMPORARY)).message).lines[0].reasons
    assert reason.code is ReasonCode.TEMPORARY_MEDICATION
    assert reason.why["nl"].startswith("Dit medicijn is tijdelijk voorgeschreven")


def test_the_answer_of_a_practice_outside_the_directory_promises_nothing() -> None:
    without = replace(parties(), practice=None)
    decision = _decision(decided(METFORMINE), given=without)
    assert _answer(decision.message).no_pickup is NoPickup.PRACTICE_UNKNOWN
    assert decision.promise is None


def test_the_answer_for_a_pharmacy_outside_the_directory_promises_nothing() -> None:
    decision = _decision(decided(METFORMINE), given=no_parties())
    answer = _answer(decision.message)
    assert (answer.no_pickup, answer.pharmacy) == (NoPickup.PHARMACY_UNKNOWN, None)
    assert decision.promise is None


def test_a_pharmacy_that_does_not_open_for_weeks_leads_to_no_promise() -> None:
    closed = parties(a_practice(), a_pharmacy("2027 Jun 01 09:00-12:00"))
    decision = _decision(decided(METFORMINE), given=closed)
    assert _answer(decision.message).no_pickup is NoPickup.NO_OPENING
    assert decision.promise is None


def test_a_line_that_is_decided_later_has_a_message_and_a_promise() -> None:
    review = a_line("Metformine 500 mg tablet", Outcome.REVIEW)
    first = _decision(decided(review))
    later = _decision(line_decided(Outcome.APPROVED, explanation="Akkoord."), first.order)
    assert later.message is not None
    assert later.message.kind is Kind.LINE_ANSWER
    assert _answer(later.message).explanation == "Akkoord."
    assert later.promise is not None
    assert later.promise.lines == (1,)
    assert later.order.lines == (Line(1, "Metformine 500 mg tablet", Outcome.APPROVED),)


def test_the_answer_on_a_line_has_who_explained_it_and_the_other_lines_as_they_stand() -> None:
    first = _decision(decided(a_line("Metformine 500 mg tablet", Outcome.REVIEW), TEMPORARY))
    answer = _answer(_decision(line_decided(Outcome.APPROVED), first.order).message)
    assert answer.explained_by is Role.GP
    assert answer.rest == (OtherLine("Amoxicilline 500 mg capsule", Outcome.REFUSED),)


def test_the_message_about_a_cancelled_order_has_its_medicines_and_no_promise() -> None:
    first = _decision(decided(METFORMINE, TEMPORARY))
    decision = _decision(cancelled(1), first.order)
    assert decision.message is not None
    facts = decision.message.facts
    assert isinstance(facts, Cancellation)
    assert facts.medicines == ("Metformine 500 mg tablet",)
    assert (facts.was_approved, facts.by_practice, facts.by) == (True, False, Role.PATIENT)
    assert facts.rest == (OtherLine("Amoxicilline 500 mg capsule", Outcome.REFUSED),)
    assert decision.promise is None


@pytest.mark.parametrize("role", Role)
def test_the_reason_of_a_cancellation_is_sent_unless_the_patients_side_gave_it(role: Role) -> None:
    by = Actor(role=role, id="1")
    message = _decision(
        cancelled(1, by=by, reason=" Verhuisd."), _decision(decided()).order
    ).message
    assert message is not None
    assert isinstance(message.facts, Cancellation)
    own = role in (Role.PATIENT, Role.PROXY)
    assert message.facts.reason == (None if own else " Verhuisd.")
    assert message.facts.by is role


def test_what_the_pharmacy_reports_leads_to_no_message_yet() -> None:
    first = _decision(decided(METFORMINE))
    decision = _decision(_fulfilment(2), first.order)
    assert (decision.message, decision.promise, decision.order.seq) == (None, None, 2)


def test_the_same_event_again_leads_to_nothing() -> None:
    event = decided(METFORMINE)
    assert decide(event, _decision(event).order, parties(), ARRIVED) == Repeated()


@given(st.lists(st.integers(0, 3), max_size=20))
def test_each_event_is_answered_at_most_once_in_any_order_with_any_repeats(
    arrivals: list[int],
) -> None:
    events: list[OrderEvent] = [
        decided(a_line("Metformine 500 mg tablet", Outcome.REVIEW)),
        line_decided(Outcome.APPROVED),
        _fulfilment(3),
        cancelled(1, seq=4),
    ]
    order: Order | None = None
    answered: list[int] = []
    for arrival in arrivals:
        match decide(events[arrival], order, parties(), ARRIVED):
            case Decision(order=order):
                answered.append(events[arrival].seq)
            case Repeated():
                pass
    assert answered == sorted(set(answered))


def test_decisions_are_deterministic() -> None:
    event = decided(METFORMINE, TEMPORARY)
    assert _decision(event) == _decision(event)
