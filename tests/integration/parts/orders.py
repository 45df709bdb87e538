"""Orders placed at chosen times, handled and saved as the loop does."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from aiokafka import TopicPartition

from runtime.messages.message import Message
from runtime.messages.positions import Claim
from runtime.postgres import progress
from runtime.postgres import store as runtime_store
from runtime.postgres.connection import Connection
from runtime.postgres.statements import Writes
from schemas.records.orders import OrderPlace
from schemas.topics import ORDERS_REQUESTS
from services.ordering.handlers import OrderingHandler
from tests.harness.made import METFORMINE, PHARMACY, PRACTICE, an_order
from tests.harness.records import delivered
from tests.unit.ordering.story import ANNA, pharmacy, practice

HERE = TopicPartition(ORDERS_REQUESTS.name, 0)
NOVEMBER = datetime(2026, 11, 30, 23, 59, 59, 999_000, UTC)
DECEMBER = datetime(2026, 12, 1, tzinfo=UTC)
LONG_AGO = datetime(2005, 3, 7, 12, tzinfo=UTC)


def orders(count: int = 1, patient: str = ANNA, order_id: UUID | None = None) -> list[OrderPlace]:
    """Make up orders of a patient whose overview has not arrived: they wait."""
    id: Any = {} if order_id is None else {"order_id": order_id}
    return [an_order(patient, METFORMINE, **id) for _ in range(count)]


async def decided(db: Connection, at: datetime, bodies: Sequence[Any]) -> Writes:
    """Load and decide these records, received at this time, as one batch; return what it would write."""
    handler = OrderingHandler({PRACTICE: practice()}, {PHARMACY: pharmacy()})
    messages: list[Message[Any]] = [
        Message("1", body.patient, body, at, None, delivered(ORDERS_REQUESTS, body))
        for body in bodies
    ]
    work = await handler.load(db, messages)
    for message in messages:
        handler.handle(message, work)
    writes = Writes()
    handler.save(work, writes)
    return writes


async def save(db: Connection, writes: Writes, epoch: int | None = None) -> None:
    """Save a batch, as the worker of this epoch or else of the current one. Raises Outdated, Fenced."""
    here = (await progress.positions(db))[HERE]
    claim = Claim(HERE.topic, 0, here.next_offset, here.next_offset + 1, epoch or here.epoch)
    await runtime_store.save(db, [claim], {}, writes)


async def placed(db: Connection, at: datetime, bodies: Sequence[Any]) -> None:
    """Decide and save these records."""
    await save(db, await decided(db, at, bodies))


async def parts_of(db: Connection, table: str, order_id: UUID) -> set[str]:
    """Return the parts that have rows of an order."""
    rows = await db.fetch(
        f"select distinct tableoid::regclass::text as part from {table} where order_id = $1",
        order_id,
    )
    return {row["part"] for row in rows}
