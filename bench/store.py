"""All SQL of the benchmark itself: recreate databases, fill tables, count rows."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import date
from typing import Any

import asyncpg

from runtime.dsn import database_dsn

_FORGET_ORDERS = "truncate orders, order_ids, order_lines, histories"
_ORDERED = "select count(*) from orders"
_MESSAGES = "select count(*), count(distinct order_id) from messages"
_COUNTED = "select (select sum(orders) from daily_orders), (select sum(lines) from daily_lines)"
_COUNTED_ORDERS = "select coalesce(sum(orders), 0)::bigint from daily_orders"
_NEWEST_MESSAGE = "select coalesce(max(id), 0) from messages"
_NEWER_MESSAGES = "select id, order_id from messages where id > $1 order by id"

# A notification instead of polling, which would see an answer late and load the measured database.
_CREATE_TRIGGER = """
create function notify_messages() returns trigger language plpgsql as
    $$ begin perform pg_notify('messages', ''); return null; end $$;
create trigger notify_messages after insert on messages for each statement execute function notify_messages()
"""
_DROP_TRIGGER = "drop function notify_messages cascade"

# Every practice on every working day, by the channels and outcomes that a day of a practice has.
_DAILY_LINES = """
insert into daily_lines (practice, day, channel, outcome, lines)
select '01999' || lpad(p::text, 3, '0'), day, channel, outcome, lines
from generate_series(0, $1 - 1) p
cross join generate_series($2::date, $3::date, interval '1 day') as d(moment)
cross join lateral (select moment::date as day) as days
cross join (values
    ('portal', 'approved', 70), ('portal', 'review', 14), ('portal', 'refused', 10),
    ('portal', 'e_consult', 2), ('portal', 'repeat_service', 3), ('receptenlijn', 'approved', 25),
    ('receptenlijn', 'review', 5), ('receptenlijn', 'refused', 4), ('counter', 'approved', 9),
    ('counter', 'review', 2), ('counter', 'cancelled', 1), ('e_consult', 'approved', 6),
    ('e_consult', 'review', 2)
) as cells(channel, outcome, lines)
where extract(isodow from day) < 6
"""
_DAILY_ORDERS = """
insert into daily_orders (practice, day, channel, orders)
select practice, day, channel, ceil(sum(lines) / 1.6)::bigint from daily_lines group by 1, 2, 3
"""
_COUNTED_ROWS = """
insert into counted_orders (order_id, seq, practice, day, channel, outcomes)
select uuidv7(), 1, practice, day, channel, '{"1": "approved", "2": "review"}'::jsonb
from daily_orders cross join lateral generate_series(1, orders)
"""
_LINES = "select sum(lines)::bigint from daily_lines"


@asynccontextmanager
async def database(dsn: str) -> "AsyncIterator[asyncpg.Connection[Any]]":
    """Open a connection for the benchmark."""
    db = await asyncpg.connect(dsn)
    try:
        yield db
    finally:
        await db.close()


async def drop_databases(admin_dsn: str, names: Iterable[str]) -> None:
    """Drop these databases, even with open connections, and write all others to disk."""
    async with database(admin_dsn) as db:
        for name in names:
            # A name is one of ours; DDL takes no parameters.
            await db.execute(f'drop database if exists "{name}" with (force)')
        await db.execute("checkpoint")


async def settle(admin_dsn: str, name: str) -> None:
    """Vacuum, analyze and write a checkpoint now, which PostgreSQL would do later after a large load."""
    async with database(database_dsn(admin_dsn, name)) as db:
        await db.execute("vacuum analyze")
    async with database(admin_dsn) as db:
        await db.execute("checkpoint")


async def server_version(admin_dsn: str) -> str:
    """Read PostgreSQL's version."""
    async with database(admin_dsn) as db:
        version: str = await db.fetchval("show server_version")
        return version


async def forget_orders(owner_dsn: str) -> None:
    """Empty ordering's tables of orders, and of what patients ordered before."""
    async with database(owner_dsn) as db:
        await db.execute(_FORGET_ORDERS)


async def count_orders(dsn: str) -> tuple[int, ...]:
    """Count ordering's orders."""
    return await _read_numbers(dsn, _ORDERED)


async def count_messages(dsn: str) -> tuple[int, ...]:
    """Count the messages in the inboxes, and the orders that they are about."""
    return await _read_numbers(dsn, _MESSAGES)


async def count_metrics(dsn: str) -> tuple[int, ...]:
    """Read the totals of orders and lines that metrics has counted."""
    return await _read_numbers(dsn, _COUNTED)


async def count_metrics_orders(db: "asyncpg.Connection[Any]") -> int:
    """Read the total of orders that metrics has counted."""
    orders: int = await db.fetchval(_COUNTED_ORDERS)
    return orders


async def newest_message(db: "asyncpg.Connection[Any]") -> int:
    """Read the id of the newest message in the inboxes; 0 when there is none."""
    newest: int = await db.fetchval(_NEWEST_MESSAGE)
    return newest


@asynccontextmanager
async def message_notifications(db: "asyncpg.Connection[Any]") -> AsyncIterator[asyncio.Event]:
    """Give an event that is set when messages are committed. Its trigger costs notification some time."""
    event = asyncio.Event()
    await db.add_listener("messages", lambda *_: event.set())
    await db.execute(_CREATE_TRIGGER)
    try:
        yield event
    finally:
        await db.execute(_DROP_TRIGGER)


async def newer_messages(db: "asyncpg.Connection[Any]", after: int) -> list[tuple[int, str]]:
    """Read the id and order of the messages after this id."""
    return [(row["id"], str(row["order_id"])) for row in await db.fetch(_NEWER_MESSAGES, after)]


async def fill_counts(dsn: str, practices: int, first: date, last: date) -> int:
    """Fill metrics' tables for these practices from `first` to `last`; return the number of lines."""
    async with database(dsn) as db:
        await db.execute(_DAILY_LINES, practices, first, last)
        await db.execute(_DAILY_ORDERS)
        await db.execute(_COUNTED_ROWS)
        lines: int = await db.fetchval(_LINES)
        return lines


async def _read_numbers(dsn: str, query: str) -> tuple[int, ...]:
    async with database(dsn) as db:
        row = await db.fetchrow(query)
    return tuple(int(value or 0) for value in row or ())
