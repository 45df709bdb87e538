"""notification's part of the loop: which event leads to which message, and what is published for it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from runtime.connection import Connection
from runtime.handling import Done, Rejected
from runtime.records import Message, Outgoing, event_id, outgoing
from runtime.rows import Rows
from runtime.writes import Writes
from schemas import topics
from schemas.base import Body
from schemas.directory import Pharmacy, Practice
from schemas.notifications import MessageQueued, MessageSent, PickupPromised
from schemas.orders import OrderEvent
from schemas.trusted import trusted
from services.notification import domain, store
from services.notification.calendar import PharmacyCalendar, PracticeCalendar
from services.notification.domain import Known, Order, Seen, Taken, Told
from services.notification.pickup import NEVER_OPEN, Calendar
from services.notification.store import StoredMessage
from services.notification.texts import CURRENT_VERSION

SOURCE = "nl.herhaal/notification"

INPUTS = (topics.ORDERS_EVENTS,)
OWN = topics.NOTIFICATIONS_EVENTS

_queued, _sent = trusted(MessageQueued), trusted(MessageSent)


@dataclass
class Work:
    """One batch: what was loaded, and what changes."""

    orders: Rows[UUID, Order] = field(default_factory=Rows)
    told: dict[UUID, dict[UUID, MessageSent | PickupPromised]] = field(default_factory=dict)
    """What was told of each order before this database was restored, by the record's id."""
    in_inbox: set[tuple[UUID, datetime]] = field(default_factory=set)
    """Of whom we told before: order and time of the messages that are known here."""
    newly_told: list[tuple[UUID, MessageSent | PickupPromised]] = field(default_factory=list)
    retold: list[UUID] = field(default_factory=list)
    """Records that were told before, and are known here now."""
    messages: list[StoredMessage] = field(default_factory=list)


class NotificationHandler:
    """Loads, decides and saves; `practices` and `pharmacies` are the directory as it is now."""

    def __init__(
        self, practices: Mapping[str, Practice], pharmacies: Mapping[str, Pharmacy]
    ) -> None:
        self._practices = practices
        self._pharmacies = pharmacies
        self._working_days = PracticeCalendar().working_days
        self._openings = PharmacyCalendar().openings

    async def load(self, db: Connection, messages: Sequence[Message[Any]]) -> Work:
        """What is known of the orders that these events are about."""
        before = {m.key for m in messages if m.topic == OWN.name}
        ids = {m.body.order_id for m in messages if m.topic != OWN.name and m.body is not None}
        orders, told = await store.known(db, ids) if ids else ({}, {})
        return Work(
            Rows(orders),
            told,
            await store.in_inbox(db, before) if before else set(),
        )

    def handle(self, message: Message[Any], work: Work) -> Done | Rejected:
        """Take one event, or note what was told before this database was restored."""
        if message.topic == OWN.name:
            _note_told(message, work)
            return Done()
        event: OrderEvent | None = message.body
        if event is None:
            return Rejected("not_handled")
        order, told = work.orders.get(event.order_id), _told(event, work)
        match domain.take(event, order, self._known(event), message.at, told):
            case Seen():
                return Done()
            case Taken() as taken:
                work.orders.keep(event.order_id, taken.order)
                return Done(tuple(_tell(taken, message, work)))

    def save(self, work: Work, writes: Writes) -> None:
        """Write what changed."""
        if work.orders.changed:
            store.save_orders(writes, work.orders)
        if work.messages:
            store.add_messages(writes, work.messages)
        if work.newly_told:
            store.save_told(writes, work.newly_told)
        if work.retold:
            store.forget_told(writes, work.retold)

    def _known(self, event: OrderEvent) -> Known:
        practice = self._practices.get(event.practice)
        pharmacy = self._pharmacies.get(event.pharmacy)
        if practice is None or pharmacy is None:
            return Known(practice, pharmacy, NEVER_OPEN)
        calendar = Calendar(self._working_days(practice), self._openings(pharmacy))
        return Known(practice, pharmacy, calendar)


def _note_told(message: Message[Any], work: Work) -> None:
    """Keep what was told of an order until its event is taken again."""
    body = message.body
    if ("ce_source", SOURCE.encode()) not in message.record.headers:
        return
    match body:
        case MessageSent(at=at) | PickupPromised(promised_at=at):
            if (body.order_id, at) not in work.in_inbox:
                work.newly_told.append((UUID(message.id), body))
        case _:
            pass


def _told(event: OrderEvent, work: Work) -> Told | None:
    """What the patient was told of this event already; None for what is new."""
    records = work.told.get(event.order_id)
    if records is None:
        return None
    sent, promised = (UUID(_id(kind, event)) for kind in (MessageSent, PickupPromised))
    if sent not in records:
        return None
    work.retold += [id for id in (sent, promised) if id in records]
    promise = records.get(promised)
    return Told(promise if isinstance(promise, PickupPromised) else None)


def _tell(taken: Taken, message: Message[Any], work: Work) -> list[Outgoing]:
    """Put the message in the inbox, which delivers it, and say so."""
    order, bodies = taken.order, list[Body]()
    if taken.message is not None:
        told = stored(taken.message, order, message)
        work.messages.append(told)
        promised = [taken.promise] if taken.promise else []
        # Sent comes last: where that was told, all of it was.
        bodies = [_event(_queued, told), *promised, _event(_sent, told)]
    order_id = str(order.order_id)
    return [_record(body, order, order_id, message) for body in bodies]


def stored(told: domain.Message, order: Order, message: Message[Any]) -> StoredMessage:
    """What is told about an order after this event, as it is in the inbox."""
    return StoredMessage(
        message_id=UUID(event_id("message", order.order_id, order.seq)),
        patient=order.patient,
        order_id=order.order_id,
        kind=told.kind,
        template_version=CURRENT_VERSION[told.kind],
        at=message.at,
        facts=told.facts,
    )


def _event(
    kind: Callable[..., MessageQueued | MessageSent], told: StoredMessage
) -> MessageQueued | MessageSent:
    return kind(
        message_id=told.message_id,
        order_id=told.order_id,
        patient=told.patient,
        medium="inbox",
        template=told.kind,
        language="both",
        at=told.at,
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
    """The id of the record of this kind that an order's event leads to."""
    return event_id(kind.TYPE, of.order_id, of.seq)
