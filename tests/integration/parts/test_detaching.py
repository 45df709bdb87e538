"""Old months are detached whole or not at all, on a real PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from runtime.errors import CannotRun, Fenced
from runtime.postgres import parts, progress
from runtime.postgres.connection import Connection
from runtime.postgres.months import Month
from services.ordering import store
from services.ordering.parts import PARTED
from tests.harness.database import ORDERING, connected, migrated_pool
from tests.harness.made import a_cancellation
from tests.integration.parts.orders import HERE, LONG_AGO, decided, orders, placed, save
from tests.integration.parts.test_orders import NOW

MARCH = Month(2005, 3)
ROWS = """
select (select array_agg(order_id order by order_id) from orders) as orders,
    (select array_agg(order_id order by order_id) from order_lines) as order_lines,
    (select array_agg(order_id order by order_id) from order_ids) as order_ids
"""
WAITS = "select pid from pg_locks where not granted and mode = 'AccessExclusiveLock'"


@pytest.fixture
async def db(scratch: str) -> AsyncIterator[Connection]:
    """Open ordering's database with orders of March and April 2005 and of now."""
    async with await migrated_pool(scratch, ORDERING) as pool, pool.acquire() as connection:
        await progress.raise_epochs(connection, {HERE: 0})
        for at in (LONG_AGO, LONG_AGO, LONG_AGO.replace(month=4), NOW):
            await placed(connection, at, orders())
        await parts.make(connection, NOW)
        yield connection


async def ids(db: Connection) -> dict[str, Any]:
    """Return the order ids in each table."""
    row = await db.fetchrow(ROWS)
    assert row is not None
    return dict(row)


async def test_a_month_goes_with_its_ids_and_nothing_else_goes(db: Connection) -> None:
    query = "select order_id from orders where placed_at < '2005-04-01 00:00+00' order by 1"
    gone = [row["order_id"] for row in await db.fetch(query)]
    everything = (await ids(db))["orders"]
    moved = await parts.detach(db, MARCH, PARTED)
    assert sorted(moved) == ["order_ids_2005_03", "order_lines_2005_03", "orders_2005_03"]
    stay = [id for id in everything if id not in gone]
    assert await ids(db) == {"orders": stay, "order_lines": stay, "order_ids": stay}
    for table in moved:
        kept = await db.fetch(f"select order_id from detached.{table} order by 1")
        assert [row["order_id"] for row in kept] == gone
    assert await store.orders(db, gone) == {}
    assert await parts.detach(db, MARCH, PARTED) == []


async def test_a_month_is_made_again_for_an_order_that_comes_after_all(db: Connection) -> None:
    """Given a detached month; then a row of it is taken as any other, and its part has its name again."""
    await parts.detach(db, MARCH, PARTED)
    (late,) = orders()
    await placed(db, LONG_AGO, [late])
    assert await parts.make(db, NOW) == ["order_lines_2005_03", "orders_2005_03"]
    assert (await store.orders(db, [late.order_id])).keys() == {late.order_id}
    with pytest.raises(CannotRun, match="orders_2005_03 is in the schema detached already"):
        await parts.detach(db, MARCH, PARTED)


async def test_nothing_is_detached_while_the_tables_are_in_use(
    db: Connection, scratch: str
) -> None:
    before = await ids(db)
    async with connected(scratch) as user, user.transaction():
        await user.fetch("select count(*) from orders")
        with pytest.raises(parts.InUse):
            await parts.detach(db, MARCH, PARTED, attempts=2)
        assert await ids(db) == before
    assert len(await parts.detach(db, MARCH, PARTED)) == 3


async def test_a_detachment_that_is_killed_midway_is_repeated_from_the_start(
    db: Connection, scratch: str
) -> None:
    """Given moved rows, and a connection that ends before the parts are detached; then all is as before."""
    before = await ids(db)
    async with connected(scratch) as killed, connected(scratch) as user, user.transaction():
        await user.fetch("select count(*) from orders")
        detaching = asyncio.create_task(parts.detach(killed, MARCH, PARTED))
        while (pid := await db.fetchval(WAITS)) is None:
            await asyncio.sleep(0.01)
        await db.execute("select pg_terminate_backend($1)", pid)
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
            await detaching
    assert await ids(db) == before
    assert await db.fetchval("select to_regclass('detached.order_ids_2005_03') is null")
    assert len(await parts.detach(db, MARCH, PARTED)) == 3


async def test_a_change_that_was_decided_before_its_month_went_is_fenced(db: Connection) -> None:
    """Given a cancellation decided before its order's month was detached; then nothing of it is left behind."""
    (order,) = orders()
    await placed(db, LONG_AGO, [order])
    writes = await decided(db, NOW, [a_cancellation(order)])
    await parts.detach(db, MARCH, PARTED)
    before = await ids(db)
    with pytest.raises(Fenced):
        await save(db, writes, epoch=1)
    assert await ids(db) == before
