"""All SQL of a rebuild: the schema that the new tables are built in, the pauses, the switch.

The names of tables come from the services' declarations; PostgreSQL takes no parameters for them.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from aiokafka import TopicPartition

from runtime.errors import CannotRun
from runtime.messages.positions import Position
from runtime.postgres import migrations
from runtime.postgres.connection import Connection
from runtime.postgres.migrations import Migration
from runtime.rebuild.declared import Difference

SCHEMA = "rebuild"

PAUSE_S = 5.0
"""The longest that a pause holds back the running service's saves; their own limit is 30 s."""

_ALONE = 0x72656275696C64
"""An advisory lock's number, held as long as the rebuild of this database runs."""

_OWNER = """
select tableowner from pg_tables where schemaname = 'public' and tablename = 'progress'
"""
_POSITIONS = """
select topic, partition, next_offset, epoch, last_ms from public.progress
where topic = any($1::text[]) order by topic, partition
"""
_CLUSTER = "select cluster from public.kafka"
_APPLIED = "select name, checksum from public.migrations"
_BEGIN = """
insert into progress (topic, partition, next_offset, epoch)
select topic, partition, first, $4 from unnest($1::text[], $2::int[], $3::bigint[])
    as b(topic, partition, first)
"""
_BUILT = "select topic, partition, next_offset from progress"
# Every worker that has loaded something before the switch is fenced by this: it loads again.
_FENCE = "update public.progress set epoch = epoch + 1"
# Who may read a projection besides its owner may do so afterwards.
_GRANTS = """
select format(
    'grant %s on rebuild.%I to %s%s',
    a.privilege_type,
    c.relname,
    case when a.grantee = 0 then 'public' else a.grantee::regrole::text end,
    case when a.is_grantable then ' with grant option' else '' end
) as statement
from pg_class c cross join aclexplode(c.relacl) a
where c.relnamespace = 'public'::regnamespace and c.relname = any($1::text[])
    and a.grantee <> c.relowner
"""
_HOLDERS = """
select distinct a.pid, a.application_name, extract(epoch from now() - a.xact_start)::int as seconds
from pg_locks l join pg_stat_activity a using (pid)
where l.relation = any($1::text[]::regclass[]) and l.granted and a.pid <> pg_backend_pid()
order by a.pid
"""


class InUse(CannotRun):
    """A reader holds a table for so long that it cannot be switched."""


async def connect(dsn: str) -> "asyncpg.Connection[Any]":
    """A connection as the owner of the running tables, on which those being built have plain names.

    Raises:
        CannotRun: the service has never run on this database.
        OSError, TimeoutError, asyncpg.PostgresError: it cannot be reached, or refuses.
    """
    db = await asyncpg.connect(dsn, timeout=10, server_settings={"application_name": "rebuild"})
    try:
        owner = await db.fetchval(_OWNER)
        if owner is None:
            raise CannotRun("the service has never run on this database")
        # What is built must be the service's own, whoever builds it.
        await db.execute(f"set role {_quoted(owner)}")
        await db.execute(f"set search_path to {SCHEMA}")
        # A rebuild that is broken off starts again from nothing; the switch itself waits for the disk.
        await db.execute("set synchronous_commit to off")
    except BaseException:
        await db.close()
        raise
    return db


async def alone(db: Connection) -> bool:
    """Whether no other rebuild of this database runs; none starts as long as this connection lives."""
    taken: bool = await db.fetchval("select pg_try_advisory_lock($1)", _ALONE)
    return taken


async def require_same(db: Connection, wanted: Iterable[Migration]) -> None:
    """Raises CannotRun when the running tables are not those of this version of the code."""
    applied = {row["name"]: row["checksum"] for row in await db.fetch(_APPLIED)}
    if applied != {migration.name: migration.checksum for migration in wanted}:
        raise CannotRun(
            "its tables are those of another version of the code: start the service in this version first"
        )


async def make(db: Connection, wanted: Iterable[Migration]) -> None:
    """An empty copy of the service's tables, with the names that migrations give; leftovers go."""
    await drop(db)
    await db.execute(f"create schema {SCHEMA}")
    await migrations.migrate(db, wanted)


async def drop(db: Connection) -> None:
    """Remove what was built, if anything is there."""
    await db.execute("set client_min_messages to warning")
    await db.execute(f"drop schema if exists {SCHEMA} cascade")


async def begin(db: Connection, first: Mapping[TopicPartition, int], epoch: int) -> None:
    """Note where building begins; only who knows `epoch` can build on."""
    await db.execute(
        _BEGIN,
        [tp.topic for tp in first],
        [tp.partition for tp in first],
        list(first.values()),
        epoch,
    )


async def cluster(db: Connection) -> str | None:
    """The id of the Kafka that the running tables belong to; None when no worker has seen one."""
    found: str | None = await db.fetchval(_CLUSTER)
    return found


async def running(db: Connection, topics: Iterable[str]) -> dict[TopicPartition, Position]:
    """Where the running service is in each partition of these topics that it has ever taken."""
    return {
        TopicPartition(r["topic"], r["partition"]): Position(
            r["next_offset"], r["epoch"], r["last_ms"]
        )
        for r in await db.fetch(_POSITIONS, list(topics))
    }


async def built(db: Connection) -> dict[TopicPartition, int]:
    """How far what was built is."""
    rows = await db.fetch(_BUILT)
    return {TopicPartition(r["topic"], r["partition"]): r["next_offset"] for r in rows}


@asynccontextmanager
async def paused(gate: Connection) -> AsyncIterator[None]:
    """Hold back every save of the running service meanwhile; it takes up where it was afterwards.

    Raises:
        asyncpg.LockNotAvailableError: a save that was under way did not end within 1 s.
        CannotRun: the pause took longer than `PAUSE_S`; nothing is changed then.
    """
    async with gate.transaction():
        await gate.execute("set local lock_timeout to '1s'")
        # Saves begin with their progress, so one that waits here holds nothing that we need.
        await gate.execute("lock table public.progress in exclusive mode")
        try:
            async with asyncio.timeout(PAUSE_S) as pause:
                yield
        except TimeoutError:
            if not pause.expired():
                # Kafka's, or the database's.
                raise
            raise CannotRun(
                f"the rest could not be built within a pause of {PAUSE_S:g} s; try when it is calmer"
            ) from None


async def move(gate: Connection, tables: Collection[str], migrated: Sequence[Migration]) -> None:
    """Put what was built in the place of the running tables, inside a pause.

    Raises:
        asyncpg.LockNotAvailableError: a reader holds one of them for longer than 1 s.
        CannotRun: the running tables have been migrated since, or something depends on them.
    """
    names = [_quoted(table) for table in tables]
    await gate.execute("set local synchronous_commit to on")
    await gate.execute(
        f"lock table {', '.join(f'public.{name}' for name in names)} in access exclusive mode"
    )
    await require_same(gate, migrated)
    for grant in await gate.fetch(_GRANTS, list(tables)):
        await gate.execute(grant["statement"])
    try:
        for name in names:
            await gate.execute(f"drop table public.{name}")
            await gate.execute(f"alter table {SCHEMA}.{name} set schema public")
    except asyncpg.DependentObjectsStillExistError as error:
        # It names our tables and the objects that hold them, no rows.
        raise CannotRun(f"{error}, such as a view that somebody added: drop it first") from error
    await gate.execute(_FENCE)


async def analyze(db: Connection, tables: Iterable[str]) -> None:
    """Let the planner know the new tables before anybody queries them."""
    for table in tables:
        await db.execute(f"analyze {_quoted(table)}")


async def difference(db: Connection, table: str, query: str) -> Difference:
    """What a declaration's query says of its table."""
    row = await db.fetchrow(query)
    assert row is not None, "it counts, so it gives a row"
    return Difference(table, row["rows"], row["added"], row["changed"], row["gone"])


async def holders(db: Connection, tables: Iterable[str]) -> list[str]:
    """Who holds these running tables, in words: process, application and the seconds so far."""
    rows = await db.fetch(_HOLDERS, [f"public.{_quoted(table)}" for table in tables])
    return [
        f"process {r['pid']} ({r['application_name'] or 'unnamed'}, {r['seconds'] or 0} s)"
        for r in rows
    ]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
