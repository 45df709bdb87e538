"""The state of an order follows from its command and its events."""

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given as for_all
from msgspec import structs

from runtime.messages.digest import digest_of
from runtime.messages.encoding import encode
from schemas import topics
from schemas.base import Body, Channel
from schemas.records.directory import Policy
from schemas.records.orders import (
    OrderCancelled,
    OrderDecided,
    OrderEscalated,
    OrderEvent,
    OrderFulfilment,
    OrderLineDecided,
    OrderReview,
    OrderState,
    Outcome,
)
from schemas.records.prescriptions import PrescriptionApproved, PrescriptionWithdrawn
from services.ordering.domain import decisions
from services.ordering.domain.decisions import OVERDUE, Decided
from services.ordering.domain.events import follow, prescriptions
from services.ordering.domain.knowledge import Context
from services.ordering.domain.order import Line, Order, begin, evolve
from services.ordering.domain.overview import read_overview
from services.ordering.handlers import HANDLERS, INPUTS, OUTPUT_TOPIC
from tests.harness.made import GP, METFORMINE, OMEPRAZOL, a_cancellation, an_order, entry
from tests.unit.ordering.story import ANNA, NOON, later, overview, pharmacy
from tests.unit.ordering.test_sequences import COMMANDS, ORDER, handle_all, order_events, quick

KNOWN = read_overview(overview(entry(METFORMINE), entry(OMEPRAZOL, high_risk=True)))
CONTEXT = Context(KNOWN, pharmacy(), Policy(), 3)
TWO = an_order(ANNA, METFORMINE, OMEPRAZOL)


def placed() -> tuple[Order, OrderDecided]:
    """An order with an approved line and one in review, and its first event."""
    event = decisions.place(TWO, NOON, CONTEXT).event
    return begin(TWO, "digest", event), event


def outcomes(order: Order) -> list[Outcome]:
    """The outcome of each line."""
    return [line.outcome for line in order.lines]


@for_all(COMMANDS)
@quick
def test_an_order_is_its_command_and_its_events(commands: list[tuple[Body, int]]) -> None:
    """So a restored database recovers the same order from its published events."""
    story = handle_all([(ORDER, 0), *commands])
    first, *others = order_events(story)
    assert isinstance(first, OrderDecided)
    order, _ = follow(begin(ORDER, digest_of(ORDER), first), others)
    assert order == story.order


@for_all(COMMANDS)
@quick
def test_prescriptions_follow_from_the_events_alone(
    commands: list[tuple[Body, int]],
) -> None:
    story = handle_all([(ORDER, 0), *commands])
    first, *others = order_events(story)
    assert isinstance(first, OrderDecided)
    begun = begin(ORDER, digest_of(ORDER), first)
    _, later_ones = follow(begun, others)
    published = story.bodies(PrescriptionApproved, PrescriptionWithdrawn)
    assert _bytes([*prescriptions(begun, first), *later_ones]) == _bytes(published)


def _bytes(bodies: Iterable[Body]) -> list[bytes]:
    """The published bytes, sorted."""
    return sorted(encode(body) for body in bodies)


def test_an_order_begins_with_its_command_and_its_first_event() -> None:
    order, event = placed()
    assert (order.placed_at, order.seq, order.digest) == (NOON, 1, "digest")
    assert order.placed_by == TWO.placed_by
    assert outcomes(order) == [Outcome.APPROVED, Outcome.REVIEW]
    assert event.state == order.state


def test_an_event_about_a_line_changes_that_line_only() -> None:
    order, _ = placed()
    event = OrderLineDecided(
        **_of(order, seq=2),
        line=2,
        prk=OMEPRAZOL[0],
        medicine=OMEPRAZOL[1],
        outcome=Outcome.APPROVED,
        quantity=Decimal(30),
        dosage="2x daags 1",
        decided_by=GP,
        decided_at=later(1),
    )
    after = evolve(order, event)
    assert after.lines[0] == order.lines[0]
    assert (after.lines[1].quantity, after.lines[1].dosage) == (Decimal(30), "2x daags 1")
    assert (after.lines[1].decided_by, after.lines[1].decided_as) == (GP, Outcome.APPROVED)
    assert (after.seq, after.state) == (2, OrderState.APPROVED)


def test_a_cancellation_cancels_the_lines_that_it_names() -> None:
    order, _ = placed()
    event = OrderCancelled(**_of(order, seq=2), lines=(1,), cancelled_by=GP, cancelled_at=later(1))
    after = evolve(order, event)
    assert outcomes(after) == [Outcome.CANCELLED, Outcome.REVIEW]
    assert after.state is OrderState.CANCELLED
    (withdrawn,) = prescriptions(order, event)
    assert isinstance(withdrawn, PrescriptionWithdrawn)
    assert withdrawn.line == 1


def test_events_without_an_outcome_change_the_seq_only() -> None:
    order, _ = placed()
    fields = _of(order, seq=2)
    for event in (
        OrderEscalated(**fields, line=2, to_role="gp", escalated_at=later(1)),
        OrderFulfilment(**fields, line=1, status="ready", at=later(1)),
    ):
        assert evolve(order, event) == structs.replace(order, seq=2)
        assert prescriptions(order, event) == ()


def _of(order: Order, seq: int) -> dict[str, Any]:
    """The fields that every event of an order has."""
    return {
        "order_id": order.order_id,
        "seq": seq,
        "patient": order.patient,
        "practice": order.practice,
        "pharmacy": order.pharmacy,
        "channel": Channel.PORTAL,
    }


def test_the_timer_is_cancelled_only_when_no_line_waits() -> None:
    """A review of another line does not end the waiting."""
    order, _ = placed()
    waits = Line(3, "1007", "Iets", Decimal(1), Outcome.WAITING)
    mixed = structs.replace(order, lines=(*order.lines, waits))
    review = OrderReview(
        order_id=order.order_id, patient=ANNA, line=2, outcome=Outcome.APPROVED, decided_by=GP
    )
    decided = decisions.review(mixed, review, later(1), CONTEXT)
    assert isinstance(decided, Decided)
    assert decided.cancelled == ()
    cancelled = decisions.cancel(mixed, a_cancellation(TWO), later(1))
    assert isinstance(cancelled, Decided)
    assert cancelled.cancelled == (OVERDUE,)


def test_an_order_without_an_overview_sets_a_timer() -> None:
    context = structs.replace(CONTEXT, overview=None, policy=Policy(overview_patience_minutes=30))
    decided = decisions.place(TWO, NOON, context)
    (timer,) = decided.timers
    assert (timer.kind, timer.due_at) == (OVERDUE, NOON + timedelta(minutes=30))


def test_every_record_type_of_the_topics_has_a_function() -> None:
    """The dispatch has no default: a record without one would become a dead letter."""
    types = {body.TYPE for topic in (*INPUTS, OUTPUT_TOPIC) for body in topic.bodies}
    assert types == HANDLERS.keys()
    assert topics.ORDERS_EVENTS is OUTPUT_TOPIC


def test_every_type_of_the_output_topic_is_an_order_event() -> None:
    assert set(OUTPUT_TOPIC.bodies) == set(OrderEvent.__args__)
