"""Wraps ordering's events, prescriptions and timers in records with CloudEvents headers."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from runtime.loop.handler import Done
from runtime.messages.cloudevents import event_id, outgoing
from runtime.messages.message import Message, Outgoing, Timer
from schemas import topics
from schemas.records.orders import (
    OrderCancel,
    OrderEvent,
    OrderPlace,
    OrderReview,
    OrderTimer,
)
from schemas.topics import Topic
from services.ordering.domain.decisions import Change
from services.ordering.domain.events import Prescription

SOURCE = "nl.herhaal/ordering"
"""`ce_source` of every record that the loop publishes."""

API_SOURCE = f"{SOURCE}/http"
"""`ce_source` of commands that ordering's own API publishes."""


def command(
    topic: Topic,
    command: OrderPlace | OrderCancel | OrderReview,
    at: datetime,
    traceparent: str | None,
    through: str | None,
) -> Outgoing:
    """The record of a command that came over HTTP at `at` (UTC), `through` this outside system if any."""
    return outgoing(
        topic.name,
        command,
        key=command.patient,
        id=str(uuid4()),
        source=API_SOURCE,
        subject=str(command.order_id),
        at=at,
        traceparent=traceparent,
        through=through,
    )


def done(change: Change, cause: Message[Any]) -> Done:
    """The records to publish and the timers to set and cancel for a change caused by this message."""
    records = [event(body, cause) for body in change.events]
    if change.prescriptions:
        records += [prescription(body, cause) for body in change.prescriptions]
    timers = [timer(body, cause.traceparent) for body in change.timers]
    cancelled = [timer_id(change.order.order_id, kind) for kind in change.cancelled]
    return Done(tuple(records), tuple(timers), tuple(cancelled))


def event(event: OrderEvent, cause: Message[Any]) -> Outgoing:
    """The record of an order event that this message caused."""
    order_id = str(event.order_id)
    return outgoing(
        topics.ORDERS_EVENTS.name,
        event,
        key=event.patient,
        id=event_id(event.TYPE, order_id, event.seq),
        source=SOURCE,
        subject=order_id,
        at=cause.at,
        traceparent=cause.traceparent,
    )


def prescription(prescription: Prescription, cause: Message[Any]) -> Outgoing:
    """The record of a prescription or a withdrawal, for the pharmacy's own topic."""
    prescription_id = str(prescription.prescription_id)
    return outgoing(
        topics.PRESCRIPTIONS_PREFIX + prescription.pharmacy,
        prescription,
        key=prescription.patient,
        id=event_id(prescription.TYPE, prescription_id),
        source=SOURCE,
        subject=prescription_id,
        at=cause.at,
        traceparent=cause.traceparent,
    )


def timer(timer: OrderTimer, traceparent: str | None) -> Timer:
    """A timer that publishes this record when it is due."""
    id = timer_id(timer.order_id, timer.kind)
    record = outgoing(
        topics.ORDERS_REVIEWS.name,
        timer,
        key=timer.patient,
        id=id,
        source=SOURCE,
        subject=str(timer.order_id),
        at=timer.due_at,
        traceparent=traceparent,
    )
    return Timer(id, timer.due_at, record)


def timer_id(order_id: UUID, kind: str) -> str:
    """The id of an order's timer of this kind, and of its record."""
    return event_id(OrderTimer.TYPE, order_id, kind)
