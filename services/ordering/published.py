"""What ordering publishes, as records with their envelopes: events, prescriptions, timers that are due."""

from datetime import datetime
from typing import Any
from uuid import UUID

from runtime.records import Message, Outgoing, Timer, event_id, outgoing
from schemas import topics
from schemas.orders import OrderEvent, OrderTimer
from services.ordering.events import SOURCE, Prescription
from services.ordering.order import Order


def event(event: OrderEvent, order: Order, cause: Message[Any]) -> Outgoing:
    """An event of this order, caused by this message."""
    order_id = str(order.order_id)
    return outgoing(
        topics.ORDERS_EVENTS.name,
        event,
        key=order.patient,
        id=event_id(event.TYPE, order_id, event.seq),
        source=SOURCE,
        subject=order_id,
        at=cause.at,
        traceparent=cause.traceparent,
    )


def prescription(prescription: Prescription, cause: Message[Any]) -> Outgoing:
    """A prescription or its withdrawal, on the topic of its pharmacy."""
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


def overdue(order: Order, due_at: datetime, traceparent: str | None) -> Timer:
    """Says at `due_at` (UTC) that this order has waited for an overview long enough."""
    told = OrderTimer(
        order_id=order.order_id, patient=order.patient, kind="overview_overdue", due_at=due_at
    )
    return timer(told, traceparent)


def overdue_id(order: Order) -> str:
    """The id of that timer."""
    return _timer_id(order.order_id, "overview_overdue")


def timer(told: OrderTimer, traceparent: str | None) -> Timer:
    """Tells this when it is due."""
    timer_id = _timer_id(told.order_id, told.kind)
    record = outgoing(
        topics.ORDERS_REVIEWS.name,
        told,
        key=told.patient,
        id=timer_id,
        source=SOURCE,
        subject=str(told.order_id),
        at=told.due_at,
        traceparent=traceparent,
    )
    return Timer(timer_id, told.due_at, record)


def _timer_id(order_id: UUID, kind: str) -> str:
    return event_id(OrderTimer.TYPE, order_id, kind)
