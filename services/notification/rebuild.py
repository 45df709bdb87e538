"""Rebuilds notification's orders from their events, and adds missing messages to inboxes.

A stored message does not change. A missing one is decided again, with the pickup window that was promised then.
Nothing is published.
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
from runtime.rebuild.declaration import Directory, ReadTopic, Rebuild
from schemas.records.directory import Pharmacy, Practice
from schemas.records.notifications import PickupPromised
from schemas.records.orders import OrderEvent
from schemas.topics import DIRECTORY_PHARMACIES, DIRECTORY_PRACTICES, NOTIFICATIONS_EVENTS
from services.notification import store
from services.notification.domain.decisions import Decision, Parties, Repeated, decide
from services.notification.domain.messages import Answer
from services.notification.domain.order import Order
from services.notification.domain.pickup import NEVER_OPEN, local_window
from services.notification.handlers import INPUTS, stored_message
from services.notification.store import StoredMessage


@dataclass
class Work:
    """One batch: the orders that are already built, and the changes."""

    orders: IdentityMap[UUID, Order] = field(default_factory=IdentityMap)
    messages: list[StoredMessage] = field(default_factory=list)
    promises: dict[UUID, str] = field(default_factory=dict)
    """By id of a message about approved lines: the `ce_id` of the record that would promise its pickup."""

    def keep(self, order: Order, message: StoredMessage | None) -> None:
        """Note the next state of an order, and the message about the event."""
        self.orders.set(order.order_id, order)
        if message is not None:
            self.messages.append(message)
            if isinstance(message.facts, Answer) and message.facts.no_pickup:
                promise = event_id(PickupPromised.TYPE, order.order_id, order.seq)
                self.promises[message.message_id] = str(promise)


class InboxBuilder:
    """Answers events as notification does, but publishes nothing."""

    def __init__(
        self, practices: Mapping[str, Practice], pharmacies: Mapping[str, Pharmacy]
    ) -> None:
        self._practices = practices
        self._pharmacies = pharmacies

    async def load(self, db: Connection, messages: Sequence[Message[Any]]) -> Work:
        """Load the orders of these events that are already built."""
        ids = {_event(message).order_id for message in messages}
        return Work(IdentityMap(await store.orders(db, ids) if ids else {}))

    def handle(self, message: Message[Any], work: Work) -> Done:
        """Answer one event."""
        event = _event(message)
        before = work.orders.get(event.order_id)
        match decide(event, before, self._parties(event), message.at):
            case Repeated():
                return Done()
            case Decision(order, new):
                work.keep(order, stored_message(new, order, message) if new else None)
                return Done()

    async def write(self, db: Connection, work: Work) -> None:
        """Write the orders and messages of the batch."""
        if work.orders.changed:
            writes = Writes()
            store.save_orders(writes, work.orders)
            await writes.send(db)
        if work.messages:
            missing = await store.build_messages(db, work.messages)
            if unpromised := missing & work.promises.keys():
                await store.note_unpromised(db, {m: work.promises[m] for m in unpromised})

    async def settle(self, db: Connection) -> None:
        """Do nothing: every batch is written at once."""

    def _parties(self, event: OrderEvent) -> Parties:
        # No calendar: a rebuild makes no promises, and earlier ones are on the topic.
        return Parties(
            self._practices.get(event.practice), self._pharmacies.get(event.pharmacy), NEVER_OPEN
        )


async def restore_promises(db: Connection, read: ReadTopic) -> None:
    """Add to missing messages the pickup windows that were promised when they were sent."""
    if not await store.has_unpromised(db):
        return
    async for messages in read(NOTIFICATIONS_EVENTS):
        promises = {m.id: m.body for m in messages if isinstance(m.body, PickupPromised)}
        unpromised = await store.unpromised(db, list(promises)) if promises else {}
        if unpromised:
            answered = [_with_window(m, promises[id]) for id, m in unpromised.items()]
            await store.save_facts(db, answered)


def _event(message: Message[Any]) -> OrderEvent:
    body: Any = message.body
    event: OrderEvent = body
    return event


def _with_window(message: StoredMessage, promised: PickupPromised) -> StoredMessage:
    assert isinstance(message.facts, Answer), "only an answer has approved lines"
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
    immutable=frozenset({"messages"}),
    directory={Practice: DIRECTORY_PRACTICES, Pharmacy: DIRECTORY_PHARMACIES},
    skip_dead_letters=True,
    prepare=store.prepare_rebuild,
    complete=restore_promises,
    carry_over=store.keep_messages,
)
