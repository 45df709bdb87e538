"""metrics' part of the loop: counts order events. It publishes nothing."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, assert_never
from uuid import UUID

from runtime.loop.handler import Done, Rejected
from runtime.messages.message import Message
from runtime.postgres.connection import Connection
from runtime.postgres.identity_map import IdentityMap
from runtime.postgres.statements import Writes
from schemas import topics
from schemas.records.orders import OrderEvent
from services.metrics import store
from services.metrics.domain import counting
from services.metrics.domain.counting import Counted, LineCell, OrderCell, Refused, Repeated

INPUTS = (topics.ORDERS_EVENTS,)


@dataclass
class Work:
    """One batch: how its orders are counted, and the changes of the counts."""

    orders: IdentityMap[UUID, Counted] = field(default_factory=IdentityMap)
    lines: Counter[LineCell] = field(default_factory=Counter)
    new_orders: Counter[OrderCell] = field(default_factory=Counter)

    def keep(self, before: Counted | None, order: Counted) -> None:
        """Note how an order is now counted, and the changes of the counts."""
        for cell, change in counting.difference(before, order):
            self.lines[cell] += change
        if before is None:
            self.new_orders[order.cell] += 1
        self.orders.set(order.order_id, order)


class MetricsHandler:
    """Loads, counts and saves."""

    async def load(self, db: Connection, messages: Sequence[Message[Any]]) -> Work:
        """Load how the orders of these events are counted."""
        ids = {_event(message).order_id for message in messages}
        return Work(IdentityMap(await store.counted(db, ids) if ids else {}))

    def handle(self, message: Message[Any], work: Work) -> Done | Rejected:
        """Count one event."""
        event = _event(message)
        before = work.orders.get(event.order_id)
        result = counting.count(event, before)
        match result:
            case Refused(code):
                return Rejected(code)
            case Repeated():
                return Done()
            case Counted():
                work.keep(before, result)
                return Done()
            case _:
                assert_never(result)

    def save(self, work: Work, writes: Writes) -> None:
        """Write what changed. Every worker writes the tables in the same order, so that none deadlock."""
        writes.keep_order()
        if work.orders.changed:
            store.save_counted(writes, work.orders)
        if lines := {cell: change for cell, change in work.lines.items() if change}:
            store.add_lines(writes, lines)
        if work.new_orders:
            store.add_orders(writes, work.new_orders)


def _event(message: Message[Any]) -> OrderEvent:
    body: Any = message.body
    event: OrderEvent = body
    return event
