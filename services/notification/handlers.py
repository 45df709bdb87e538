"""notification's part of the loop: answers order events, and reads its own topic back after a restore."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from runtime.loop.handler import Done, Rejected
from runtime.messages.cloudevents import event_id, outgoing
from runtime.messages.message import Message, Outgoing
from runtime.postgres.connection import Connection
from runtime.postgres.identity_map import IdentityMap
from runtime.postgres.statements import Writes
from schemas import topics
from schemas.base import Body
from schemas.records.directory import Pharmacy, Practice
from schemas.records.notifications import MessageQueued, MessageSent, PickupPromised
from schemas.records.orders import OrderEvent
from schemas.trusted import trusted
from services.notification import store
from services.notification.domain.calendars import PharmacyCalendar, PracticeCalendar
from services.notification.domain.decisions import (
    AlreadySent,
    Decision,
    Parties,
    PatientMessage,
    Repeated,
    decide,
)
from services.notification.domain.order import Order
from services.notification.domain.pickup import NEVER_OPEN, Calendar
from services.notification.store import StoredMessage
from services.notification.texts import CURRENT_VERSION

SOURCE = "nl.herhaal/notification"

INPUTS = (topics.ORDERS_EVENTS,)
OUTPUT_TOPIC = topics.NOTIFICATIONS_EVENTS

_queued, _sent = trusted(MessageQueued), trusted(MessageSent)


@dataclass
class Work:
    """One batch: the rows that were loaded, and the changes to save."""

    orders: IdentityMap[UUID, Order] = field(default_factory=IdentityMap)
    sent: dict[UUID, dict[UUID, MessageSent | PickupPromised]] = field(default_factory=dict)
    """Records published about each order before this database was restored, by record id."""
    in_inbox: set[tuple[UUID, datetime]] = field(default_factory=set)
    """(order, time) of messages already stored."""
    read_back_sent: list[tuple[UUID, MessageSent | PickupPromised]] = field(default_factory=list)
    """(record id, record) of messages and promises that the output topic has and the inbox lacks."""
    handled_again: list[UUID] = field(default_factory=list)
    """Ids of records in `sent` whose event was handled again."""
    messages: list[StoredMessage] = field(default_factory=list)


class NotificationHandler:
    """Loads, decides and saves; `practices` and `pharmacies` are the directory's global tables."""

    def __init__(
        self, practices: Mapping[str, Practice], pharmacies: Mapping[str, Pharmacy]
    ) -> None:
        self._practices = practices
        self._pharmacies = pharmacies
        self._working_days = PracticeCalendar().working_days
        self._openings = PharmacyCalendar().openings

    async def load(self, db: Connection, messages: Sequence[Message[Any]]) -> Work:
        """Load the orders of these events, and the inboxes of patients whose messages are read back."""
        patients = {m.key for m in messages if m.topic == OUTPUT_TOPIC.name}
        ids = {
            m.body.order_id for m in messages if m.topic != OUTPUT_TOPIC.name and m.body is not None
        }
        orders, sent = await store.load(db, ids) if ids else ({}, {})
        in_inbox = await store.in_inbox(db, patients) if patients else set()
        return Work(IdentityMap(orders), sent, in_inbox)

    def handle(self, message: Message[Any], work: Work) -> Done | Rejected:
        """Answer an order event, or note a record that was published before this database was restored."""
        if message.topic == OUTPUT_TOPIC.name:
            return _read_back(message, work)
        event: OrderEvent | None = message.body
        return Rejected("not_handled") if event is None else self._event(event, message, work)

    def save(self, work: Work, writes: Writes) -> None:
        """Write what changed."""
        if work.orders.changed:
            store.save_orders(writes, work.orders)
        if work.messages:
            store.add_messages(writes, work.messages)
        if work.read_back_sent:
            store.add_sent(writes, work.read_back_sent)
        if work.handled_again:
            store.delete_sent(writes, work.handled_again)

    def _event(self, event: OrderEvent, message: Message[Any], work: Work) -> Done:
        order, sent = work.orders.get(event.order_id), _already_sent(event, work)
        match decide(event, order, self._parties(event), message.at, sent):
            case Repeated():
                return Done()
            case Decision() as decision:
                work.orders.set(event.order_id, decision.order)
                return Done(tuple(_send(decision, event, message, work)))

    def _parties(self, event: OrderEvent) -> Parties:
        practice = self._practices.get(event.practice)
        pharmacy = self._pharmacies.get(event.pharmacy)
        if practice is None or pharmacy is None:
            return Parties(practice, pharmacy, NEVER_OPEN)
        calendar = Calendar(self._working_days(practice), self._openings(pharmacy))
        return Parties(practice, pharmacy, calendar)


def _read_back(message: Message[Any], work: Work) -> Done:
    """Note a record that the output topic has and the inbox lacks, until its event is handled again."""
    # Kafka does not record who wrote a record; the header excludes records of other producers.
    if ("ce_source", SOURCE.encode()) in message.record.headers:
        match message.body:
            case MessageSent(at=at) | PickupPromised(promised_at=at) as body:
                if (body.order_id, at) not in work.in_inbox:
                    work.read_back_sent.append((UUID(message.id), body))
            case _:
                pass
    return Done()


def _already_sent(event: OrderEvent, work: Work) -> AlreadySent | None:
    """The message that was sent about this event before a restore; None for a new event."""
    records = work.sent.get(event.order_id)
    if records is None:
        return None
    sent, promised = (UUID(_id(kind, event)) for kind in (MessageSent, PickupPromised))
    if sent not in records:
        return None
    work.handled_again += [id for id in (sent, promised) if id in records]
    promise = records.get(promised)
    return AlreadySent(promise if isinstance(promise, PickupPromised) else None)


def _send(decision: Decision, of: OrderEvent, message: Message[Any], work: Work) -> list[Outgoing]:
    """Store the message in the inbox, and return the records that report it."""
    order, bodies = decision.order, list[Body]()
    if decision.message is not None:
        inbox = stored_message(decision.message, order, message)
        work.messages.append(inbox)
        promised = [decision.promise] if decision.promise else []
        # `message.sent` comes last: once it is acknowledged, the others are too.
        bodies = [_event_of(_queued, inbox, of), *promised, _event_of(_sent, inbox, of)]
    order_id = str(order.order_id)
    return [_record(body, order, order_id, message) for body in bodies]


def stored_message(new: PatientMessage, order: Order, message: Message[Any]) -> StoredMessage:
    """The inbox row of a message about the newest event of an order."""
    return StoredMessage(
        message_id=UUID(event_id("message", order.order_id, order.seq)),
        patient=order.patient,
        order_id=order.order_id,
        kind=new.kind,
        template_version=CURRENT_VERSION[new.kind],
        at=message.at,
        facts=new.facts,
    )


def _event_of(
    kind: Callable[..., MessageQueued | MessageSent], inbox: StoredMessage, of: OrderEvent
) -> MessageQueued | MessageSent:
    return kind(
        message_id=inbox.message_id,
        order_id=inbox.order_id,
        patient=inbox.patient,
        medium="inbox",
        template=inbox.kind,
        language="both",
        at=inbox.at,
        practice=of.practice,
        pharmacy=of.pharmacy,
    )


def _record(body: Body, order: Order, order_id: str, message: Message[Any]) -> Outgoing:
    return outgoing(
        topics.NOTIFICATIONS_EVENTS.name,
        body,
        key=order.patient,
        id=event_id(body.TYPE, order_id, order.seq),
        source=SOURCE,
        subject=order_id,
        at=message.at,
        traceparent=message.traceparent,
    )


def _id(kind: type[Body], of: OrderEvent) -> str:
    """The `ce_id` of the record of this kind for an order event."""
    return event_id(kind.TYPE, of.order_id, of.seq)
