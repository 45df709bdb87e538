"""All SQL of the benchmark's outsider: databases made anew, tables filled, rows counted."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import date
from typing import Any

import asyncpg

_ORDERED = "select count(*) from orders"
_TOLD = "select count(*), count(distinct order_id) from messages"
_COUNTED = "select (select sum(orders) from daily_orders), (select sum(lines) from daily_lines)"
_COUNTED_ORDERS = "select coalesce(sum(orders), 0)::bigint from daily_orders"
_NEWEST_MESSAGE = "select coalesce(max(id), 0) from messages"
_NEWER_MESSAGES = "select id, order_id from messages where id > $1 order by id"

# Asking all the time instead would tell of an answer too late, and take what it is measured on.
_TELL = """
create function tell() returns trigger language plpgsql as
    $$ begin perform pg_notify('messages', ''); return null; end $$;
create trigger tell after insert on messages for each statement execute function tell()
"""
_TELL_NO_MORE = "drop function tell cascade"

# Every practice on every working day, by the channels and outcomes that a day of a practice has.
_DAILY_LINES = """
insert into daily_lines (practice, day, channel, outcome, lines)
select '0102' || lpad(p::text, 4, '0'), day, channel, outcome, lines
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
    """A connection for the outsider."""
    db = await asyncpg.connect(dsn)
    try:
        yield db
    finally:
        await db.close()


async def drop_databases(admin_dsn: str, names: Iterable[str]) -> None:
    """Drop these databases, whoever is connected, and write everything else to disk."""
    async with database(admin_dsn) as db:
        for name in names:
            # A name is one of ours; PostgreSQL takes no parameter here.
            await db.execute(f'drop database if exists "{name}" with (force)')
        await db.execute("checkpoint")


async def create_database(admin_dsn: str, name: str, owner: str) -> None:
    """One more database of a service's role."""
    async with database(admin_dsn) as db:
        await db.execute(f'create database "{name}" owner "{owner}"')


async def settle(admin_dsn: str, dsn: str) -> None:
    """What PostgreSQL does by itself after a large load, done now: statistics, dead rows, writing."""
    async with database(dsn) as db:
        await db.execute("vacuum analyze")
    async with database(admin_dsn) as db:
        await db.execute("checkpoint")


async def server_version(admin_dsn: str) -> str:
    """PostgreSQL's version."""
    async with database(admin_dsn) as db:
        found: str = await db.fetchval("show server_version")
        return found


async def ordered(dsn: str) -> tuple[int, ...]:
    """Orders decided."""
    return await _numbers(dsn, _ORDERED)


async def told(dsn: str) -> tuple[int, ...]:
    """Messages in the inboxes, and the orders that they are about."""
    return await _numbers(dsn, _TOLD)


async def counted(dsn: str) -> tuple[int, ...]:
    """Orders and lines as metrics has counted them."""
    return await _numbers(dsn, _COUNTED)


async def counted_orders(db: "asyncpg.Connection[Any]") -> int:
    """Orders as metrics has counted them until now."""
    found: int = await db.fetchval(_COUNTED_ORDERS)
    return found


async def newest_message(db: "asyncpg.Connection[Any]") -> int:
    """The place of the last message that is in an inbox now; 0 when there is none."""
    found: int = await db.fetchval(_NEWEST_MESSAGE)
    return found


@asynccontextmanager
async def told_of_messages(db: "asyncpg.Connection[Any]") -> AsyncIterator[asyncio.Event]:
    """What PostgreSQL sets whenever messages were committed to an inbox; notification pays for the trigger."""
    event = asyncio.Event()
    await db.add_listener("messages", lambda *_: event.set())
    await db.execute(_TELL)
    try:
        yield event
    finally:
        await db.execute(_TELL_NO_MORE)


async def newer_messages(db: "asyncpg.Connection[Any]", after: int) -> list[tuple[int, str]]:
    """Messages that are in an inbox now and came after this place: their place and order."""
    return [(row["id"], str(row["order_id"])) for row in await db.fetch(_NEWER_MESSAGES, after)]


async def fill_counts(dsn: str, practices: int, first: date, last: date) -> int:
    """Fill metrics' tables as so many practices would from `first` to `last`; how many lines that is."""
    async with database(dsn) as db:
        await db.execute(_DAILY_LINES, practices, first, last)
        await db.execute(_DAILY_ORDERS)
        await db.execute(_COUNTED_ROWS)
        found: int = await db.fetchval(_LINES)
        return found


async def _numbers(dsn: str, query: str) -> tuple[int, ...]:
    async with database(dsn) as db:
        row = await db.fetchrow(query)
    return tuple(int(value or 0) for value in row or ())
