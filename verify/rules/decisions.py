"""Decisions: made once, caused by an input record, numbered without gaps, in the patient's order."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

from runtime.messages.cloudevents import event_id, through
from schemas.base import Role
from schemas.records.orders import (
    OrderCancelled,
    OrderDecided,
    OrderLineDecided,
    OrderLineSignalled,
    OrderReview,
    OrderTimer,
)
from verify.evidence import Evidence
from verify.expected_orders import happened_at
from verify.rules.finding import Finding
from verify.topic_records import ParsedRecord


def decided_twice(evidence: Evidence) -> Iterator[Finding]:
    """Records with the same `ce_id` have the same value, and an order has one event for each `seq`."""
    for topic in evidence.outputs:
        for record in topic.conflicting:
            yield Finding("another value than an earlier record with the same ce_id", record.where)
    for order_id, events in evidence.events_by_order.items():
        numbers: set[int] = set()
        for event in events:
            if event.body.seq in numbers:
                yield Finding(f"event {event.body.seq} of {order_id} a second time", event.where)
            numbers.add(event.body.seq)


def sequence_broken(evidence: Evidence) -> Iterator[Finding]:
    """An order's events, at their first appearance, have `seq` 1, 2, 3 … and start with its decision."""
    for order_id, events in evidence.events_by_order.items():
        numbers = [event.body.seq for event in events]
        if numbers != list(range(1, len(numbers) + 1)):
            yield Finding(f"its events are numbered {_abbreviated(numbers)}", f"{order_id}")
        elif not isinstance(events[0].body, OrderDecided):
            yield Finding("its first event is not its decision", f"{order_id}")


def _abbreviated(numbers: list[int]) -> str:
    shown = ", ".join(map(str, numbers[:10]))
    return f"{shown}, …" if len(numbers) > 10 else shown


def event_without_cause(evidence: Evidence) -> Iterator[Finding]:
    """Every event follows from an input record appended at its time, and from the order's state before."""
    for order in evidence.orders.values():
        for message, why in order.impossible:
            yield Finding(why, message.where)
        for message in order.events:
            if not _expired(message, evidence) and not _has_cause(message, evidence):
                yield Finding("no input record of its time caused it", message.where)


def _expired(message: ParsedRecord, evidence: Evidence) -> bool:
    since = max(
        evidence.complete_since(t.topic.name) for t in (evidence.requests, evidence.reviews)
    )
    return happened_at(message.body) <= since


def _has_cause(message: ParsedRecord, evidence: Evidence) -> bool:
    event = message.body
    match event:
        case OrderDecided():
            return event.placed_at == event.decided_at and any(
                place.at == event.placed_at
                and place.key == event.patient
                and through(place.record) == event.through
                for place in evidence.place_requests.get(event.order_id, ())
            )
        case OrderCancelled():
            return any(
                cancel.at == event.cancelled_at
                and cancel.key == event.patient
                and through(cancel.record) == event.through
                for cancel in evidence.cancel_requests.get(event.order_id, ())
            )
        case OrderLineDecided():
            return _line_has_cause(event, evidence)
        case OrderLineSignalled():
            return _overview_told(event, evidence)
        case _:
            return True


def _line_has_cause(event: OrderLineDecided, evidence: Evidence) -> bool:
    commands = [
        m for m in evidence.reviews_by_order.get(event.order_id, ()) if m.at == event.decided_at
    ]
    match event.decided_by.role:
        case Role.SYSTEM:
            return any(isinstance(m.body, OrderTimer) for m in commands)
        case Role.POLICY:
            return _overview_since(event.patient, event.decided_at, evidence)
        case _:
            return any(
                isinstance(m.body, OrderReview) and _is_review_of(event, m.body) for m in commands
            )


def _overview_since(patient: str, at: datetime, evidence: Evidence) -> bool:
    """Tell whether an overview came at this time. It may be compacted away; then a newer one exists."""
    overviews = evidence.overviews_by_patient.get(patient, ())
    return any(message.at >= at for message in overviews)


def _overview_told(event: OrderLineSignalled, evidence: Evidence) -> bool:
    overviews = evidence.overviews_by_patient.get(event.patient, ())
    of_its_time = [m.body.version for m in overviews if m.at == event.signalled_at and m.body]
    if of_its_time:
        return event.overview_version in of_its_time
    return _overview_since(event.patient, event.signalled_at, evidence)


def _is_review_of(event: OrderLineDecided, review: OrderReview) -> bool:
    """Tell whether the event has what the reviewer decided, or that the overview overruled it."""
    reviewed_as = event.reviewed_as or event.outcome
    return (event.line, event.decided_by, reviewed_as) == (
        review.line,
        review.decided_by,
        review.outcome,
    )


def patient_out_of_order(evidence: Evidence) -> Iterator[Finding]:
    """A patient's orders are decided in the order of their requests on the topic.

    Of repeated requests and decisions the first counts; misplaced requests count where they were sent on to.
    """
    requested: dict[str, list[UUID]] = defaultdict(list)
    for order_id, messages in evidence.place_requests.items():
        requested[messages[0].key].append(order_id)
    decided: dict[str, list[UUID]] = defaultdict(list)
    for order in evidence.orders.values():
        decided[order.first.patient].append(order.order_id)
    for patient, decisions in decided.items():
        both = set(decisions) & set(requested[patient])
        requests = [order_id for order_id in requested[patient] if order_id in both]
        if requests != [order_id for order_id in decisions if order_id in both]:
            yield Finding("decided in another order than requested", patient)


def waiting_without_timer(evidence: Evidence) -> Iterator[Finding]:
    """Every order that waits for an overview has a timer."""
    due = {row.id for row in evidence.dump.ordering.timers}
    for order in evidence.orders.values():
        if order.waits and timer_id(order.order_id) not in due:
            yield Finding("it waits for an overview and has no timer", f"{order.order_id}")


def timer_id(order_id: UUID) -> UUID:
    """The id of the timer of an order that waits for an overview."""
    return UUID(event_id(OrderTimer.TYPE, order_id, "overview_overdue"))


OVERDUE = timedelta(seconds=5)
"""How late a timer may be moved to the outbox: the loop looks twice a second."""


def not_at_rest(evidence: Evidence) -> Iterator[Finding]:
    """No service has lag, unpublished outbox rows or an overdue timer."""
    ends = {(p.topic, p.partition): p.end for p in evidence.dump.partitions}
    for service, database in evidence.dump.databases.items():
        for outbox in database.outbox:
            yield Finding(f"{service} has not published it yet", f"outbox row {outbox.id}")
        for timer in database.timers:
            if timer.due_at + OVERDUE < evidence.dump.taken_at:
                yield Finding(f"{service}'s timer is overdue", f"timer {timer.id}")
        positions = {(row.topic, row.partition): row.next_offset for row in database.progress}
        inputs = (
            (n, t.topic) for t in evidence.inputs[service] for n in evidence.names_of(t.topic)
        )
        for name, topic in inputs:
            for partition in range(topic.partitions):
                where = (name, partition)
                if positions.get(where, 0) != ends.get(where, 0):
                    lag = ends.get(where, 0) - positions.get(where, 0)
                    yield Finding(f"{service} has a lag of {lag}", f"{where[0]}-{partition}")
