"""notification's part of the loop: which event leads to which message, and what is published for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from runtime.handling import Connection, Done, Rejected
from runtime.records import Message, Outgoing, event_id, outgoing
from schemas import topics
from schemas.base import Body
from schemas.directory import Pharmacy, Practice
from schemas.notifications import MessageQueued, MessageSent
from schemas.orders import OrderEvent
from services.notification import domain, store
from services.notification.calendar import PharmacyCalendar, working_days
from services.notification.domain import Known, Order, Seen, Taken
from services.notification.pickup import Calendar
from services.notification.store import StoredMessage
from services.notification.texts import CURRENT_VERSION

SOURCE = "nl.herhaal/notification"

INPUTS = (topics.ORDERS_EVENTS,)


@dataclass
class Work:
    """One batch: what was loaded, and what changes."""

    orders: dict[UUID, Order]
    changed: dict[UUID, Order] = field(default_factory=dict)
    messages: list[StoredMessage] = field(default_factory=list)

    def keep(self, order: Order) -> None:
        """Note what is known of an order now."""
        self.orders[order.order_id] = self.changed[order.order_id] = order


class NotificationHandler:
    """Loads, decides and saves; `practices` and `pharmacies` are the directory as it is now."""

    def __init__(
        self, practices: Mapping[str, Practice], pharmacies: Mapping[str, Pharmacy]
    ) -> None:
        self._practices = practices
        self._pharmacies = pharmacies
        self._calendar = PharmacyCalendar()

    async def load(self, db: Connection, messages: Sequence[Message[Any]]) -> Work:
        """What is known of the orders that these events are about."""
        ids = {message.body.order_id for message in messages if message.body is not None}
        return Work(await store.orders(db, ids) if ids else {})

    def handle(self, message: Message[Any], work: Work) -> Done | Rejected:
        """Take one event."""
        event: OrderEvent | None = message.body
        if event is None:
            return Rejected("not_handled")
        order = work.orders.get(event.order_id)
        match domain.take(event, order, self._known(event), message.at):
            case Seen():
                return Done()
            case Taken() as taken:
                work.keep(taken.order)
                return Done(tuple(_tell(taken, message, work)))

    async def save(self, db: Connection, work: Work) -> None:
        """Write what changed."""
        if work.changed:
            await store.save_orders(db, list(work.changed.values()))
        if work.messages:
            await store.save_messages(db, work.messages)

    def _known(self, event: OrderEvent) -> Known:
        practice = self._practices.get(event.practice)
        pharmacy = self._pharmacies.get(event.pharmacy)
        calendar = Calendar(
            working_days(practice) if practice else lambda _: False,
            self._calendar.openings(pharmacy) if pharmacy else lambda _: (),
        )
        return Known(practice, pharmacy, calendar)


def _tell(taken: Taken, message: Message[Any], work: Work) -> list[Outgoing]:
    """Put the message in the inbox, which delivers it, and say so."""
    order, records = taken.order, list[Outgoing]()
    if taken.message is not None:
        stored = _stored(taken.message, order, message)
        work.messages.append(stored)
        records += [_record(_event(MessageQueued, stored), order, message)]
        records += [_record(_event(MessageSent, stored), order, message)]
    if taken.promise is not None:
        records += [_record(taken.promise, order, message)]
    return records


def _stored(told: domain.Message, order: Order, message: Message[Any]) -> StoredMessage:
    return StoredMessage(
        message_id=event_id("message", order.order_id, order.seq),
        patient=order.patient,
        order_id=order.order_id,
        kind=told.kind,
        template_version=CURRENT_VERSION[told.kind],
        at=message.at,
        facts=told.facts,
    )


def _event(
    kind: type[MessageQueued] | type[MessageSent], stored: StoredMessage
) -> MessageQueued | MessageSent:
    return kind(
        message_id=stored.message_id,
        order_id=stored.order_id,
        patient=stored.patient,
        medium="inbox",
        template=stored.kind,
        language="both",
        at=stored.at,
    )


def _record(body: Body, order: Order, message: Message[Any]) -> Outgoing:
    return outgoing(
        topics.NOTIFICATIONS_EVENTS.name,
        body,
        key=order.patient,
        id=event_id(body.TYPE, order.order_id, order.seq),
        source=SOURCE,
        subject=str(order.order_id),
        at=message.at,
        traceparent=message.traceparent,
    )
