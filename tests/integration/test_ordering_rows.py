"""ordering's rows on a real PostgreSQL: an order is saved with its lines, by statement and by COPY."""

from collections.abc import AsyncIterator
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from aiokafka import TopicPartition
from msgspec.structs import replace

from runtime.errors import Outdated
from runtime.messages.message import Message
from runtime.messages.positions import Claim
from runtime.postgres import migrations, progress
from runtime.postgres import store as runtime_store
from runtime.postgres.connection import Connection
from runtime.postgres.identity_map import IdentityMap
from runtime.postgres.statements import COPY_ABOVE, Writes
from schemas.base import Body
from schemas.records.orders import OrderCancel, OrderPlace, Outcome
from schemas.topics import MEDICATION_STATUS, ORDERS_REQUESTS
from services.ordering import store
from services.ordering.app import SERVICE
from services.ordering.domain.journal import Note
from services.ordering.domain.order import Line, Order
from services.ordering.handlers import OrderingHandler
from tests.harness.database import migrated_pool
from tests.harness.made import METFORMINE, OMEPRAZOL, PHARMACY, PRACTICE, a_cancellation, an_order
from tests.harness.records import delivered
from tests.unit.ordering.story import ANNA, NOON, later, overview, pharmacy, practice

HERE = TopicPartition(ORDERS_REQUESTS.name, 0)


@pytest.fixture
async def db(scratch: str) -> AsyncIterator[Connection]:
    """Open ordering's database with one partition assigned."""
    wanted = [
        *migrations.read("runtime", migrations.RUNTIME),
        *migrations.read("ordering", SERVICE.migrations),
    ]
    async with await migrated_pool(scratch, wanted) as pool, pool.acquire() as connection:
        await progress.raise_epochs(connection, {HERE: 0})
        yield connection


async def handled(db: Connection, *bodies: Any, first: int = 0) -> None:
    """Handle these records as one batch and save it as the loop does."""
    handler = OrderingHandler({PRACTICE: practice()}, {PHARMACY: pharmacy()})
    messages = [_message(body) for body in bodies]
    work = await handler.load(db, messages)
    for message in messages:
        handler.handle(message, work)
    writes = Writes()
    handler.save(work, writes)
    claim = Claim(HERE.topic, HERE.partition, first, first + 1, 1)
    await runtime_store.save(db, [claim], {}, writes)


def _message(body: Body) -> Message[Any]:
    command = isinstance(body, OrderPlace | OrderCancel)
    record: Any = delivered(ORDERS_REQUESTS if command else MEDICATION_STATUS, body)
    return Message("1", record.key.decode(), body, NOON, None, record)


async def lines(db: Connection, order_id: UUID) -> list[tuple[int, str, str, datetime | None]]:
    """Return an order's lines: number, outcome, state and due time."""
    query = "select line, outcome, state, due from order_lines where order_id = $1 order by line"
    return [tuple(row) for row in await db.fetch(query, order_id)]


async def test_a_new_order_and_its_lines_are_there_together(db: Connection) -> None:
    order = an_order(ANNA, METFORMINE, OMEPRAZOL)
    await handled(db, overview(), order)
    assert await lines(db, order.order_id) == [
        (1, "approved", "partly_approved", None),
        (2, "e_consult", "partly_approved", None),
    ]
    row = await db.fetchrow("select * from order_lines where line = 2")
    assert row is not None
    assert (row["practice"], row["pharmacy"]) == (PRACTICE, PHARMACY)
    assert (row["patient"], row["prk"]) == (ANNA, OMEPRAZOL[0])


async def test_what_happens_to_an_order_happens_to_its_lines(db: Connection) -> None:
    """Given an order whose overview comes later; then its line waits with a due time until then."""
    order = an_order(ANNA, METFORMINE)
    await handled(db, order)
    assert await lines(db, order.order_id) == [(1, "waiting", "waiting", later(60))]
    await handled(db, overview(), first=1)
    assert await lines(db, order.order_id) == [(1, "approved", "approved", None)]
    await handled(db, a_cancellation(order), first=2)
    assert await lines(db, order.order_id) == [(1, "cancelled", "cancelled", None)]


async def test_many_new_orders_are_copied_with_their_lines(db: Connection) -> None:
    """Given more new orders than `COPY_ABOVE`; then they are written by COPY, and read back unchanged."""
    orders = [
        an_order(ANNA, METFORMINE, OMEPRAZOL, remark="’s avonds") for _ in range(COPY_ABOVE + 1)
    ]
    await handled(db, overview(), *orders)
    assert await db.fetchval("select count(*) from order_lines") == 2 * len(orders)
    found = await store.orders(db, [order.order_id for order in orders])
    assert {order.remark for order in found.values()} == {"’s avonds"}


async def test_a_line_that_stays_as_it_was_keeps_its_due_time(db: Connection) -> None:
    """Given another event of a waiting order, without a due time; then the unchanged line keeps its own."""
    waits = Line(1, "1007", "Iets", Decimal(1), Outcome.WAITING)
    order = _order(waits, replace(waits, number=2))
    await _saved(db, order, due=later(60))
    changed = replace(order, seq=2, lines=(replace(waits, outcome=Outcome.REVIEW), order.lines[1]))
    await _saved(db, changed, before=order)
    assert await lines(db, order.order_id) == [
        (1, "review", "waiting", None),
        (2, "waiting", "waiting", later(60)),
    ]
    await _saved(db, replace(changed, seq=3), before=order, due=later(90))
    assert await lines(db, order.order_id) == [
        (1, "review", "waiting", None),
        (2, "waiting", "waiting", later(90)),
    ]


async def test_an_order_whose_id_another_has_taken_meanwhile_saves_no_line(db: Connection) -> None:
    order = _order(Line(1, "1007", "Iets", Decimal(1), Outcome.REVIEW))
    await _saved(db, order)
    other = replace(
        order, patient="pat_bert0002", lines=(*order.lines, replace(order.lines[0], number=2))
    )
    with pytest.raises(Outdated):
        await _saved(db, other)
    assert await db.fetchval("select array_agg(distinct patient) from order_lines") == [ANNA]
    assert await db.fetchval("select count(*) from order_lines") == 1


def _order(*of: Line) -> Order:
    asked = an_order(ANNA)
    return Order(
        order_id=asked.order_id,
        patient=ANNA,
        practice=PRACTICE,
        pharmacy=PHARMACY,
        channel=asked.channel,
        placed_by=asked.placed_by,
        placed_at=NOON,
        digest="",
        seq=1,
        lines=of,
    )


async def _saved(
    db: Connection, order: Order, before: Order | None = None, due: datetime | None = None
) -> None:
    writes = Writes()
    rows = IdentityMap({before.order_id: before} if before else {}, {order.order_id: order})
    notes: dict[UUID, list[Note]] = {order.order_id: []}
    store.save_orders(writes, rows, {order.order_id: due} if due else {}, notes)
    with writes.raising_outdated():
        async with db.transaction():
            await writes.send(db)
