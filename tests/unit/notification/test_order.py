"""notification's order follows from its events."""

from datetime import timedelta

import pytest

from schemas.records.orders import OrderEscalated, OrderEvent, OrderFulfilment, Outcome
from services.notification.domain.order import Line, Order, evolve
from tests.unit.notification.made import (
    MONDAY,
    ORDER_ID,
    PATIENT,
    a_line,
    cancelled,
    decided,
    line_decided,
)

METFORMINE, AMOXICILLINE = "Metformine 500 mg tablet", "Amoxicilline 500 mg capsule"

PHARMACY = "02999001"
DAY = timedelta(days=1)

SAME = {
    "order_id": ORDER_ID,
    "seq": 2,
    "patient": PATIENT,
    "practice": "01999001",
    "pharmacy": PHARMACY,
    "channel": "portal",
}


def after(*events: OrderEvent) -> Order:
    """The order after these events."""
    order: Order | None = None
    for event in events:
        order = evolve(order, event)
    assert order is not None
    return order


def two_lines() -> OrderEvent:
    """Line 1 waits for a person, line 2 is approved."""
    return decided(
        a_line(METFORMINE, Outcome.REVIEW),
        a_line(AMOXICILLINE, Outcome.APPROVED, number=2),
    )


def test_a_decision_gives_the_order_its_lines() -> None:
    lines = (Line(1, METFORMINE, Outcome.REVIEW), Line(2, AMOXICILLINE, Outcome.APPROVED))
    assert after(two_lines()) == Order(ORDER_ID, PATIENT, 1, lines, PHARMACY, MONDAY)


def test_a_later_decision_changes_its_line_and_keeps_the_order_of_lines() -> None:
    order = after(two_lines(), line_decided(Outcome.REFUSED))

    assert [(line.number, line.outcome) for line in order.lines] == [
        (1, Outcome.REFUSED),
        (2, Outcome.APPROVED),
    ]
    assert order.seq == 2


def test_a_cancellation_changes_the_lines_that_it_names() -> None:
    order = after(two_lines(), cancelled(2))

    assert [line.outcome for line in order.lines] == [Outcome.REVIEW, Outcome.CANCELLED]


@pytest.mark.parametrize(
    "event",
    [
        OrderFulfilment.model_validate(
            SAME | {"line": 1, "status": "ready", "at": MONDAY}, strict=False
        ),
        OrderEscalated.model_validate(
            SAME | {"line": 1, "to_role": "gp", "escalated_at": MONDAY}, strict=False
        ),
    ],
    ids=lambda event: event.TYPE,
)
def test_an_event_without_an_outcome_changes_the_seq_only(event: OrderEvent) -> None:
    before = after(two_lines())

    assert evolve(before, event) == Order(ORDER_ID, PATIENT, 2, before.lines, PHARMACY, MONDAY)


def test_a_prescription_is_under_way_while_a_line_is_approved() -> None:
    """Its newest approval counts, a refusal changes nothing, and a cancellation ends it."""
    assert after(decided(a_line(METFORMINE, Outcome.REVIEW))).approved_at is None
    later = line_decided(Outcome.APPROVED, decided_at=MONDAY + DAY)
    assert after(two_lines(), later).approved_at == MONDAY + DAY
    assert after(two_lines(), line_decided(Outcome.REFUSED)).approved_at == MONDAY
    assert after(two_lines(), later, cancelled(2)).approved_at == MONDAY + DAY
    assert after(two_lines(), cancelled(2)).approved_at is None
