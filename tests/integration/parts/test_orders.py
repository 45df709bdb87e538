"""ordering's rows are in the parts of their months, on a real PostgreSQL."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from runtime.errors import Outdated
from runtime.postgres import parts, progress
from runtime.postgres.connection import Connection
from runtime.postgres.months import Month
from runtime.postgres.statements import COPY_ABOVE
from schemas.records.orders import OrderPlace, OrderState
from services.ordering import store
from tests.harness.database import ORDERING, migrated_pool
from tests.harness.made import a_cancellation
from tests.integration.parts.orders import (
    DECEMBER,
    HERE,
    LONG_AGO,
    NOVEMBER,
    decided,
    orders,
    parts_of,
    placed,
    save,
)

NOW = datetime(2026, 11, 29, 4, tzinfo=UTC)
OPENED = """
select relation::regclass::text from pg_locks
where pid = pg_backend_pid() and relation::regclass::text ~ '^orders_([0-9]{4}_[0-9]{2}|default)$'
"""


@pytest.fixture
async def db(scratch: str) -> AsyncIterator[Connection]:
    """Open ordering's database as the loop does, with parts for this month and coming ones."""
    async with await migrated_pool(scratch, ORDERING) as pool, pool.acquire() as connection:
        await parts.make(connection, NOW)
        await progress.raise_epochs(connection, {HERE: 0})
        yield connection


async def opened_by(db: Connection, *of: OrderPlace) -> set[str]:
    """Return the parts of `orders` that the loop opens to load these orders."""
    async with db.transaction():
        await decided(db, NOW, [a_cancellation(order) for order in of])
        return {row["relation"] for row in await db.fetch(OPENED)}


@pytest.mark.parametrize("count", [1, COPY_ABOVE + 1], ids=["one statement", "by COPY"])
async def test_orders_of_two_months_are_in_two_parts(db: Connection, count: int) -> None:
    """Given the last millisecond of a month in UTC, and the next; then each order is in its month's part."""
    last, first = orders(count), orders(count)
    await placed(db, NOVEMBER, last)
    await placed(db, DECEMBER, first)
    assert await parts_of(db, "orders", last[0].order_id) == {"orders_2026_11"}
    assert await parts_of(db, "order_lines", last[0].order_id) == {"order_lines_2026_11"}
    assert await parts_of(db, "orders", first[-1].order_id) == {"orders_2026_12"}
    assert await parts_of(db, "order_lines", first[-1].order_id) == {"order_lines_2026_12"}
    assert await db.fetchval("select count(*) from order_ids") == 2 * count


async def test_an_order_of_an_earlier_month_changes_in_its_place(db: Connection) -> None:
    (order,) = orders()
    await placed(db, NOVEMBER, [order])
    await placed(db, DECEMBER, [a_cancellation(order)])
    found = await store.orders(db, [order.order_id])
    assert found[order.order_id].state is OrderState.CANCELLED
    assert await parts_of(db, "orders", order.order_id) == {"orders_2026_11"}
    lines = await db.fetch("select tableoid::regclass::text as part, state from order_lines")
    assert [tuple(line) for line in lines] == [("order_lines_2026_11", "cancelled")]


@pytest.mark.parametrize("count", [1, COPY_ABOVE + 1], ids=["one statement", "by COPY"])
@pytest.mark.parametrize("at", [NOVEMBER, DECEMBER], ids=["same millisecond", "next month"])
async def test_two_orders_under_one_id_conflict_whenever_they_were_placed(
    db: Connection, at: datetime, count: int
) -> None:
    """Given two patients' orders decided at once; then the second is outdated, and is a conflict after that."""
    id = uuid4()
    theirs = orders(order_id=id)
    others = [*orders(count - 1), *orders(patient="pat_bert0002", order_id=id)]
    first, second = await decided(db, NOVEMBER, theirs), await decided(db, at, others)
    await save(db, first)
    with pytest.raises(Outdated):
        await save(db, second)
    assert await db.fetchval("select count(*) from order_ids") == 1
    assert (await store.orders(db, [id]))[id].patient == theirs[0].patient
    await save(db, await decided(db, at, others))
    assert (await store.orders(db, [id]))[id].patient == theirs[0].patient
    assert await db.fetchval("select count(*) from orders") == count


async def test_orders_are_found_by_opening_the_parts_of_their_months_only(db: Connection) -> None:
    (november,), (december,) = orders(), orders()
    await placed(db, NOVEMBER, [november])
    await placed(db, DECEMBER, [december])
    assert await opened_by(db, november) == {"orders_2026_11"}
    assert await opened_by(db, november, december) == {"orders_2026_11", "orders_2026_12"}
    assert await opened_by(db, *orders()) == set()


async def test_a_new_order_is_saved_by_opening_its_part_only(db: Connection) -> None:
    writes = await decided(db, DECEMBER, orders())
    async with db.transaction():
        await save(db, writes)
        assert {row["relation"] for row in await db.fetch(OPENED)} == {"orders_2026_12"}


async def test_an_order_of_a_month_without_a_part_is_kept_and_moves_when_there_is_one(
    db: Connection,
) -> None:
    (old,), (changed,) = orders(), orders()
    await placed(db, LONG_AGO, [old, changed])
    assert await parts_of(db, "orders", old.order_id) == {"orders_default"}
    assert await opened_by(db, old) == {"orders_default"}
    assert await parts.default_rows(db, "order_lines") == 2
    made = await parts.make(db, NOW)
    assert made == ["order_lines_2005_03", "orders_2005_03"]
    await placed(db, DECEMBER, [a_cancellation(changed)])
    assert await parts_of(db, "orders", old.order_id) == {"orders_2005_03"}
    assert await parts_of(db, "order_lines", changed.order_id) == {"order_lines_2005_03"}
    assert (await store.orders(db, [changed.order_id])).keys() == {changed.order_id}
    assert await parts.default_rows(db, "orders") == 0


async def test_parts_are_made_once_and_for_so_many_months_ahead(db: Connection) -> None:
    months = sorted({p.month for p in await parts.of_database(db) if p.month is not None})
    assert months == [Month(2026, 11).plus(n) for n in range(parts.AHEAD + 1)]
    assert await parts.make(db, NOW) == []
    assert len(await parts.make(db, NOW.replace(month=12))) == 2
