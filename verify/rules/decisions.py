"""Decisions: once each, with a cause, numbered without a gap, in the patient's order."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

from runtime.messages.cloudevents import event_id
from schemas.base import Role
from schemas.records.orders import (
    OrderCancelled,
    OrderDecided,
    OrderLineDecided,
    OrderReview,
    OrderTimer,
)
from verify.facts import Facts
from verify.fold import happened_at
from verify.read import Fact
from verify.rules.found import Found, at, on


def decided_twice(facts: Facts) -> Iterator[Found]:
    """What has one `ce_id` has one content, and an order has one event of each number."""
    for topic in facts.outputs:
        for record in topic.conflicting:
            yield Found("another content than before under the same ce_id", on(record))
    for order_id, events in facts.events_by_order.items():
        numbers: set[int] = set()
        for event in events:
            if event.body.seq in numbers:
                yield Found(f"event {event.body.seq} of {order_id} once more", at(event))
            numbers.add(event.body.seq)


def sequence_broken(facts: Facts) -> Iterator[Found]:
    """An order's events, at their first appearance, are numbered 1, 2, 3 … and start with its decision."""
    for order_id, events in facts.events_by_order.items():
        numbers = [event.body.seq for event in events]
        if numbers != list(range(1, len(numbers) + 1)):
            yield Found(f"its events are numbered {_shown(numbers)}", f"{order_id}")
        elif not isinstance(events[0].body, OrderDecided):
            yield Found("its first event is not its decision", f"{order_id}")


def _shown(numbers: list[int]) -> str:
    shown = ", ".join(map(str, numbers[:10]))
    return f"{shown}, …" if len(numbers) > 10 else shown


def event_without_cause(facts: Facts) -> Iterator[Found]:
    """Every event follows from a record that Kafka took at the event's time, and from what was before."""
    for order in facts.orders.values():
        for message, why in order.impossible:
            yield Found(why, at(message))
        for message in order.events:
            if not _expired(message, facts) and not _has_cause(message, facts):
                yield Found("nothing on the inputs led to it at its time", at(message))


def _expired(message: Fact, facts: Facts) -> bool:
    since = max(facts.known_since(t.topic.name) for t in (facts.requests, facts.reviews))
    return happened_at(message.body) <= since


def _has_cause(message: Fact, facts: Facts) -> bool:
    event = message.body
    match event:
        case OrderDecided():
            return event.placed_at == event.decided_at and any(
                place.at == event.placed_at and place.key == event.patient
                for place in facts.placed.get(event.order_id, ())
            )
        case OrderCancelled():
            return any(
                cancel.at == event.cancelled_at and cancel.key == event.patient
                for cancel in facts.cancellations.get(event.order_id, ())
            )
        case OrderLineDecided():
            return _line_has_cause(event, facts)
        case _:
            return True


def _line_has_cause(event: OrderLineDecided, facts: Facts) -> bool:
    commands = [m for m in facts.reviewed.get(event.order_id, ()) if m.at == event.decided_at]
    match event.decided_by.role:
        case Role.SYSTEM:
            return any(isinstance(m.body, OrderTimer) for m in commands)
        case Role.POLICY:
            # The overview that decided it may have been compacted away: a newer one is there then.
            found = facts.overviews_of.get(event.patient, ())
            return any(m.at >= event.decided_at for m in found)
        case _:
            return any(
                isinstance(m.body, OrderReview) and m.body.line == event.line for m in commands
            )


def patient_out_of_order(facts: Facts) -> Iterator[Found]:
    """A patient's orders are decided in the order in which their requests are on the topic.

    Requests count at their first place on the patient's own partition, decisions at their first appearance.
    """
    asked: dict[str, list[UUID]] = defaultdict(list)
    for order_id, messages in facts.placed.items():
        asked[messages[0].key].append(order_id)
    told: dict[str, list[UUID]] = defaultdict(list)
    for order in facts.orders.values():
        told[order.first.patient].append(order.order_id)
    for patient, decided in told.items():
        known = set(decided)
        requested = [order_id for order_id in asked[patient] if order_id in known]
        followed = set(requested)
        if requested != [order_id for order_id in decided if order_id in followed]:
            yield Found("decided in another order than asked", patient)


def waits_for_ever(facts: Facts) -> Iterator[Found]:
    """An order that waits for an overview has a due time, and one that has none does not wait."""
    due = {row.id for row in facts.dump.ordering.timers}
    for order in facts.orders.values():
        if order.waits and timer_id(order.order_id) not in due:
            yield Found("it waits, and nothing will give it up", f"{order.order_id}")


def timer_id(order_id: UUID) -> UUID:
    """The id of the due time of an order that waits for an overview."""
    return UUID(event_id(OrderTimer.TYPE, order_id, "overview_overdue"))


OVERDUE = timedelta(seconds=5)
"""How late a due time may be moved to the outbox: the loop looks twice a second."""


def not_at_rest(facts: Facts) -> Iterator[Found]:
    """Everything on the inputs is handled, everything decided is published, no due time is overdue."""
    ends = {(span.topic, span.partition): span.end for span in facts.dump.spans}
    for service, database in facts.dump.databases.items():
        for outbox in database.outbox:
            yield Found(f"{service} has not published it", f"outbox row {outbox.id}")
        for timer in database.timers:
            if timer.due_at + OVERDUE < facts.dump.taken_at:
                yield Found(f"{service}'s due time has passed", f"timer {timer.id}")
        stands = {(row.topic, row.partition): row.next_offset for row in database.progress}
        for topic in facts.inputs[service]:
            for partition in range(topic.topic.partitions):
                where = (topic.topic.name, partition)
                if stands.get(where, 0) != ends.get(where, 0):
                    behind = ends.get(where, 0) - stands.get(where, 0)
                    yield Found(f"{service} lags {behind} behind", f"{where[0]}-{partition}")
