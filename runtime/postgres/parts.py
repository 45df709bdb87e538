"""Tables that are parted by month (UTC): makes their parts, lists them, and detaches those of old months.

`migrations/0007_parts.sql` says how parts are named, and makes one. Names of tables are quoted, as SQL has no
parameters for names. Design: docs/decisions/0024-parts-by-month.md.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from runtime.errors import CannotRun
from runtime.postgres.connection import Connection
from runtime.postgres.months import Month

AHEAD = 6
"""How many coming months have a part after a start: more than the time between two updates of a service."""

KEEP_YEARS = 20
"""How long a medical file is kept at least: article 7:454 of the Dutch civil code (WGBO)."""

DETACHED = "detached"
"""The schema of detached parts, which the service neither reads nor writes."""

ATTEMPTS, RETRY_AFTER_S = 20, 0.5
"""How often, and after how many seconds, a detachment is tried again that does not get its lock."""

Parted = Mapping[str, Mapping[str, str]]
"""By parted table, the tables whose rows go along with those of a part, and the column that both have."""

# Below `deadlock_timeout`, so that no session of the service is ended because of it.
_PATIENCE = "set local lock_timeout to '500ms'"
# A save locks progress first, so one that waits here holds no lock on the tables.
_PAUSE = "lock table progress in exclusive mode"
# Fences each worker that loaded rows of a part before it went, so that it loads them again.
_FENCE = "update progress set epoch = epoch + 1"

_LOCK = "select pg_advisory_xact_lock($1)"
_LOCK_ID = 0x7061727473
"""The advisory lock of whoever makes or detaches parts: "parts" in ASCII."""

_TABLES = """
select c.relname::text as name, a.attname::text as part_by
from pg_partitioned_table p join pg_class c on c.oid = p.partrelid
join pg_attribute a on a.attrelid = c.oid and a.attnum = p.partattrs[0]
where c.relnamespace = current_schema()::regnamespace
order by 1
"""
_OF_DEFAULT = """
select distinct (date_trunc('month', {part_by}, 'UTC') at time zone 'UTC')::date as first
from {part} order by 1
"""
_EXISTS = "select to_regclass(format('%I.%I', $1::text, $2::text)) is not null"
_DEFAULT_ROWS = "select count(*) from {part}"
_PLACE_FOR_MOVED = "create table {to} (like {table} including all)"
_MOVED = """
with moved as (
    delete from {table} where {key} in (select {key} from {part}) returning *
)
insert into {to} select * from moved
"""
_MAKE = "select make_part($1::text::regclass, $2)"
_PARTS = """
select t.relname::text as table, p.relname::text as part,
    substring(p.relname from '_([0-9]{4}_[0-9]{2})$') as month,
    p.reltuples::bigint as rows, pg_total_relation_size(p.oid) as bytes
from pg_inherits i join pg_class t on t.oid = i.inhparent join pg_class p on p.oid = i.inhrelid
where t.relkind = 'p' and t.relnamespace = current_schema()::regnamespace
order by t.relname, month
"""
# Of the table that has the fewest: how many months after this one have a part.
_AHEAD = """
select min(parts) from (
    select count(p.relname) filter (
        where substring(p.relname from '_([0-9]{4}_[0-9]{2})$') > to_char(now() at time zone 'UTC', 'YYYY_MM')
    ) as parts
    from pg_partitioned_table t join pg_class c on c.oid = t.partrelid
    join pg_inherits i on i.inhparent = t.partrelid join pg_class p on p.oid = i.inhrelid
    where c.relnamespace = current_schema()::regnamespace
    group by t.partrelid
) as by_table
"""


class InUse(CannotRun):
    """Other sessions always use the tables, so that no part can be detached."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a table. `month` is None for the default part; `rows` is an estimate, None without one."""

    table: str
    name: str
    month: Month | None
    rows: int | None
    bytes: int


def first_to_keep(now: datetime) -> Month:
    """The first month of which the law asks to keep rows: it ended less than `KEEP_YEARS` years ago."""
    return Month.of(now).plus(-12 * KEEP_YEARS)


async def make(db: Connection, now: datetime) -> list[str]:
    """Make the missing parts of all parted tables; return their names.

    Those are of this month, of `AHEAD` coming ones, and of each month that a default part has rows of. The
    connection is the owner's.
    """
    async with db.transaction():
        # A month's rows are moved out of the default part.
        await db.execute("set local statement_timeout = 0")
        await db.execute("set local lock_timeout = 0")
        await db.execute(_LOCK, _LOCK_ID)
        wanted = [
            (table, month)
            for table, part_by in await db.fetch(_TABLES)
            for month in sorted({*_coming(now), *await _of_default(db, table, part_by)})
        ]
        return [
            _name(table, month)
            for table, month in wanted
            if await db.fetchval(_MAKE, _quoted(table), month.first)
        ]


async def of_database(db: Connection) -> list[Part]:
    """All parts of all parted tables; the default part of a table after its months."""
    return [
        Part(r["table"], r["part"], _month(r["month"]), _known(r["rows"]), r["bytes"])
        for r in await db.fetch(_PARTS)
    ]


async def months_ahead(db: Connection) -> int | None:
    """How many coming months have parts, in the table with the fewest; None without parted tables."""
    ahead: int | None = await db.fetchval(_AHEAD)
    return ahead


async def default_rows(db: Connection, table: str) -> int:
    """How many rows the default part of a table has."""
    rows: int = await db.fetchval(_DEFAULT_ROWS.format(part=_quoted(f"{table}_default")))
    return rows


async def detach(
    db: Connection, month: Month, parted: Parted, attempts: int = ATTEMPTS
) -> list[str]:
    """Move this month's parts, and the rows that go along, to the schema `detached`; return their names there.

    All in one transaction: when it fails, nothing is changed. The connection is the owner's.

    Raises:
        InUse: in none of so many attempts, half a second apart, the tables were free.
        CannotRun: a table of this month was detached before, and another is made since.
    """
    async with db.transaction():
        await db.execute(_LOCK, _LOCK_ID)
        present = {part.table: part.name for part in await of_database(db) if part.month == month}
        parts = {table: present[table] for table in parted if table in present}
        if not parts:
            return []
        await db.execute(f"create schema if not exists {DETACHED}")
        for name in parts.values():
            if await db.fetchval(_EXISTS, DETACHED, name):
                raise CannotRun(
                    f"{name} is in the schema {DETACHED} already: drop or rename it first"
                )
            # Nothing may change in a part whose rows are being moved.
            await db.execute(f"lock table {_quoted(name)} in share row exclusive mode")
        moved = [
            await _move(db, follower, key, parts[table], month)
            for table in parts
            for follower, key in parted[table].items()
        ]
        await _detach(db, parts, attempts)
    return [*parts.values(), *moved]


async def _move(db: Connection, table: str, key: str, part: str, month: Month) -> str:
    """Move the rows of `table` whose key is in this part."""
    name = _name(table, month)
    names = {
        "table": _quoted(table),
        "key": _quoted(key),
        "part": _quoted(part),
        "to": f"{DETACHED}.{_quoted(name)}",
    }
    await db.execute(_PLACE_FOR_MOVED.format_map(names))
    await db.execute(_MOVED.format_map(names))
    return name


async def _detach(db: Connection, parts: Mapping[str, str], attempts: int) -> None:
    for _ in range(attempts):
        try:
            async with db.transaction():
                await db.execute(_PATIENCE)
                await _detach_now(db, parts)
            return
        except asyncpg.LockNotAvailableError:
            await asyncio.sleep(RETRY_AFTER_S)
    raise InUse("other sessions use its tables all the time")


async def _detach_now(db: Connection, parts: Mapping[str, str]) -> None:
    tables = ", ".join(map(_quoted, parts))
    await db.execute(_PAUSE)
    # Not `concurrently`, which a table with a default part does not have. It takes milliseconds.
    await db.execute(f"lock table {tables} in access exclusive mode")
    for table, name in parts.items():
        await db.execute(f"alter table {_quoted(table)} detach partition {_quoted(name)}")
        await db.execute(f"alter table {_quoted(name)} set schema {DETACHED}")
    await db.execute(_FENCE)


async def _of_default(db: Connection, table: str, part_by: str) -> Iterable[Month]:
    query = _OF_DEFAULT.format(part_by=_quoted(part_by), part=_quoted(f"{table}_default"))
    return [Month(first.year, first.month) for (first,) in await db.fetch(query)]


def _coming(now: datetime) -> Sequence[Month]:
    return [Month.of(now).plus(months) for months in range(AHEAD + 1)]


def _name(table: str, month: Month) -> str:
    return f"{table}_{month.year:04}_{month.month:02}"


def _month(text: str | None) -> Month | None:
    return None if text is None else Month.read(text.replace("_", "-"))


def _known(rows: int) -> int | None:
    return None if rows < 0 else rows


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
