"""Rebuilds notification's orders from their events, and adds what is missing from inboxes.

A stored message stays as it was sent. A missing one says what it would say today, with the pickup window that
was promised then; nothing is published.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from runtime.loop.handler import Done
from runtime.messages.cloudevents import event_id
from runtime.messages.message import Message
from runtime.postgres.connection import Connection
from runtime.postgres.identity_map import IdentityMap
from runtime.postgres.statements import Writes
from runtime.rebuild.declared import Directory, ReadTopic, Rebuild
from schemas.records.directory import Pharmacy, Practice
from schemas.records.notifications import PickupPromised
from schemas.records.orders import OrderEvent
from schemas.topics import DIRECTORY_PHARMACIES, DIRECTORY_PRACTICES, NOTIFICATIONS_EVENTS
from services.notification import store
from services.notification.domain.decisions import Decision, Parties, Repeated, decide
from services.notification.domain.messages import Answer
from services.notification.domain.order import Order
from services.notification.domain.pickup import NEVER_OPEN, local_window
from services.notification.handlers import INPUTS, stored
from services.notification.store import StoredMessage


@dataclass
class Work:
    """One batch: what was built before, and what is built."""

    orders: IdentityMap[UUID, Order] = field(default_factory=IdentityMap)
    messages: list[StoredMessage] = field(default_factory=list)
    promises: dict[UUID, str] = field(default_factory=dict)
    """By message that approves something: the `ce_id` of the record that would promise its pickup."""

    def keep(self, order: Order, message: StoredMessage | None) -> None:
        """Note an order after an event, and the message that the event led to."""
        self.orders.keep(order.order_id, order)
        if message is not None:
            self.messages.append(message)
            if isinstance(message.facts, Answer) and message.facts.no_pickup:
                promise = event_id(PickupPromised.TYPE, order.order_id, order.seq)
                self.promises[message.message_id] = str(promise)


class InboxBuilder:
    """Handles events as notification does, and publishes nothing."""

    def __init__(
        self, practices: Mapping[str, Practice], pharmacies: Mapping[str, Pharmacy]
    ) -> None:
        self._practices = practices
        self._pharmacies = pharmacies

    async def load(self, db: Connection, messages: Sequence[Message[Any]]) -> Work:
        """The orders of these events, as far as they are built."""
        ids = {_event(message).order_id for message in messages}
        return Work(IdentityMap(await store.orders(db, ids) if ids else {}))

    def handle(self, message: Message[Any], work: Work) -> Done:
        """Handle one event."""
        event = _event(message)
        before = work.orders.get(event.order_id)
        match decide(event, before, self._parties(event), message.at):
            case Repeated():
                return Done()
            case Decision(order, new):
                work.keep(order, stored(new, order, message) if new else None)
                return Done()

    async def write(self, db: Connection, work: Work) -> None:
        """Write what was built."""
        if work.orders.changed:
            writes = Writes()
            store.save_orders(writes, work.orders)
            await writes.send(db)
        if work.messages:
            missing = await store.build_messages(db, work.messages)
            if unpromised := missing & work.promises.keys():
                await store.note_unpromised(db, {m: work.promises[m] for m in unpromised})

    async def settle(self, db: Connection) -> None:
        """Everything is written with its batch."""

    def _parties(self, event: OrderEvent) -> Parties:
        # A rebuild promises nothing by today's calendars: earlier promises are on the topic.
        return Parties(
            self._practices.get(event.practice), self._pharmacies.get(event.pharmacy), NEVER_OPEN
        )


async def promise(db: Connection, read: ReadTopic) -> None:
    """Put into missing messages the pickup windows that were promised when they were sent."""
    if not await store.has_unpromised(db):
        return
    async for messages in read(NOTIFICATIONS_EVENTS):
        promises = {m.id: m.body for m in messages if isinstance(m.body, PickupPromised)}
        found = await store.unpromised(db, list(promises)) if promises else {}
        if found:
            await store.save_facts(db, [_with(m, promises[id]) for id, m in found.items()])


def _event(message: Message[Any]) -> OrderEvent:
    body: Any = message.body
    event: OrderEvent = body
    return event


def _with(message: StoredMessage, promised: PickupPromised) -> StoredMessage:
    assert isinstance(message.facts, Answer), "only an answer approves something"
    window = local_window(promised.from_, promised.until)
    return replace(message, facts=replace(message.facts, window=window, no_pickup=None))


def _builder(directory: Directory) -> InboxBuilder:
    return InboxBuilder(directory[Practice], directory[Pharmacy])


REBUILD: Rebuild[Work] = Rebuild(
    module=__name__,
    service="notification",
    inputs=INPUTS,
    migrations=Path(__file__).parent / "migrations",
    builder=_builder,
    tables=store.COMPARED,
    losses=frozenset({"orders"}),
    kept=frozenset({"messages"}),
    directory={Practice: DIRECTORY_PRACTICES, Pharmacy: DIRECTORY_PHARMACIES},
    leaves_letters=True,
    prepare=store.prepare_rebuild,
    complete=promise,
    keep=store.keep_messages,
)
