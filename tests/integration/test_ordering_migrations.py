"""Given ordering's database after its fourth migration; then today's code migrates and reads all of it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
import pytest

from runtime.loop.handler import Done
from runtime.messages.encoding import decoder
from runtime.messages.message import Message
from runtime.postgres.connection import Connection
from runtime.postgres.migrations import RUNTIME, migrate, read
from runtime.postgres.sessions import SESSION
from runtime.postgres.statements import Writes
from schemas.records.orders import OrderPlace, OrderState, Outcome
from schemas.topics import MEDICATION_STATUS, ORDERS_REQUESTS, Topic
from services.ordering import envelopes, store
from services.ordering.app import SERVICE
from services.ordering.domain.order import Order
from services.ordering.handlers import OrderingHandler
from tests.harness.made import (
    METFORMINE,
    OMEPRAZOL,
    PHARMACY,
    PRACTICE,
    a_cancellation,
    an_order,
    entry,
)
from tests.harness.records import delivered
from tests.unit.ordering.story import later, overview, pharmacy, practice

ROWS = Path(__file__).parent / "ordering_0004_rows.sql"
CARLA, DIRK, ELSA = "pat_carla003", "pat_dirk0004", "pat_elsa0005"
CARLAS, ELSAS = (UUID(f"0192aaaa-0000-7000-8000-0000000000{n}") for n in ("18", "20"))

read_order = decoder(Order).decode

_LINES = """
select order_id, line, practice, pharmacy, patient, prk, outcome, state, due, placed_at, signal,
    reviewer
from order_lines order by order_id, line
"""


class Before:
    """The contents of the old tables, read as the older code did."""

    orders: dict[UUID, Order]
    overviews: dict[str, list[Any]]
    events: list[bytes]
    due: dict[str, Any]

    @classmethod
    async def of(cls, db: Connection) -> "Before":
        """Read the old tables."""
        found = cls()
        bodies = [row["body"] for row in await db.fetch("select body from orders")]
        found.orders = {order.order_id: order for order in map(read_order, bodies)}
        kept = await db.fetch("select patient, body from overviews")
        found.overviews = {row["patient"]: msgspec.json.decode(row["body"]) for row in kept}
        events = await db.fetch("select body from adopted order by order_id, seq")
        found.events = [row["body"] for row in events]
        found.due = {str(r["id"]): r["due_at"] for r in await db.fetch("select * from timers")}
        return found


@pytest.fixture
async def migrated(scratch: str) -> AsyncIterator[tuple[Connection, Before]]:
    """Return a database with old rows after today's migrations, and its contents before them."""
    db = await asyncpg.connect(scratch, server_settings=SESSION)
    runtime, own = read("runtime", RUNTIME), read("ordering", SERVICE.migrations)
    await migrate(db, [*runtime, *own[:4]])
    await db.execute(ROWS.read_text())
    before = await Before.of(db)
    applied = await migrate(db, [*runtime, *own])
    assert applied == [migration.name for migration in own[4:]]
    yield db, before
    await db.close()


async def test_orders_are_read_as_they_were(migrated: tuple[Connection, Before]) -> None:
    db, before = migrated
    assert len(before.orders) == 7
    assert await store.orders(db, before.orders.keys()) == before.orders


async def test_every_line_of_every_order_is_there_to_be_searched(
    migrated: tuple[Connection, Before],
) -> None:
    """Given old orders; then their line rows are what today's code writes, waiting ones with a due time."""
    db, before = migrated
    expected = [
        row
        for _, order in sorted(before.orders.items())
        for row in store.line_rows(order, _due(order, before))
    ]
    found = [tuple(row) for row in await db.fetch(_LINES)]
    assert found == expected
    waiting = [row for row in found if row[6] == Outcome.WAITING]
    assert {row[4] for row in waiting} == {CARLA, DIRK}
    assert all(row[8] is not None for row in waiting)
    assert {row[8] for row in found if row not in waiting} == {None}


def _due(order: Order, before: Before) -> Any:
    return before.due.get(envelopes.timer_id(order.order_id, "overview_overdue"))


async def test_overviews_are_read_again_from_the_topic(
    migrated: tuple[Connection, Before],
) -> None:
    """Given older copies, which lack names and units; then there are none until the topic is read again."""
    db, before = migrated
    assert len(before.overviews) == 2
    assert await store.overviews(db, before.overviews.keys()) == {}


async def test_recovered_events_are_read_as_they_were(
    migrated: tuple[Connection, Before],
) -> None:
    db, before = migrated
    recovered = (await store.load(db, [ELSAS], [])).recovered
    bodies = [event.model_dump_json(exclude_unset=True).encode() for event in recovered[ELSAS]]
    assert [_without_nulls(msgspec.json.decode(body)) for body in bodies] == [
        _without_nulls(msgspec.json.decode(body)) for body in before.events
    ]


def _without_nulls(part: Any) -> Any:
    """Remove null fields, which an event of an older version may lack."""
    if isinstance(part, dict):
        return {name: _without_nulls(value) for name, value in part.items() if value is not None}
    return [_without_nulls(item) for item in part] if isinstance(part, list) else part


async def test_an_order_that_waited_is_decided_when_its_overview_comes(
    migrated: tuple[Connection, Before],
) -> None:
    db, _ = migrated
    both = (entry(METFORMINE), entry(OMEPRAZOL))
    await _handled(db, overview(*both, patient=CARLA), MEDICATION_STATUS)
    carlas = (await store.orders(db, [CARLAS]))[CARLAS]
    assert carlas.state is OrderState.APPROVED
    assert await _lines(db, CARLAS) == [(1, "approved", None), (2, "approved", None)]


async def test_an_order_that_was_read_back_is_recovered_and_can_be_cancelled(
    migrated: tuple[Connection, Before],
) -> None:
    db, before = migrated
    await _handled(
        db, overview(entry(METFORMINE), entry(OMEPRAZOL), patient=ELSA), MEDICATION_STATUS
    )
    order = _asked(msgspec.json.decode(before.events[0]))
    await _handled(db, order, ORDERS_REQUESTS)
    assert await _lines(db, ELSAS) == [(1, "approved", None), (2, "approved", None)]
    assert await db.fetchval("select count(*) from recovered_events") == 0
    await _handled(db, a_cancellation(order), ORDERS_REQUESTS)
    assert await _lines(db, ELSAS) == [(1, "cancelled", None), (2, "cancelled", None)]


def _asked(event: Any) -> OrderPlace:
    """Return the command that led to this decision."""
    return an_order(ELSA, METFORMINE, OMEPRAZOL, order_id=UUID(event["order_id"]))


async def _handled(db: Connection, body: Any, topic: Topic) -> None:
    """Handle and save this record as the loop does."""
    handler = OrderingHandler({PRACTICE: practice()}, {PHARMACY: pharmacy()})
    message = Message("1", body.patient, body, later(200), None, delivered(topic, body))
    work = await handler.load(db, [message])
    assert isinstance(handler.handle(message, work), Done)
    writes = Writes()
    handler.save(work, writes)
    async with db.transaction():
        await writes.send(db)


async def _lines(db: Connection, order_id: UUID) -> list[tuple[Any, ...]]:
    query = "select line, outcome, due from order_lines where order_id = $1 order by line"
    return [tuple(row) for row in await db.fetch(query, order_id)]
