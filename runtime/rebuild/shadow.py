"""The SQL of a rebuild: the schema of the new tables, the pauses, the switch.

Names of tables come from the services' declarations and are quoted, as SQL has no parameters for names.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from aiokafka import TopicPartition

from runtime.errors import CannotRun
from runtime.messages.positions import Position
from runtime.postgres import migrations, roles
from runtime.postgres.connection import Connection
from runtime.postgres.migrations import Migration
from runtime.postgres.sessions import OPERATOR_SESSION
from runtime.rebuild.declaration import Difference

SCHEMA = "rebuild"

PAUSE_S = 5.0
"""The longest that a pause blocks the running service's saves; their own time-out is 30 s."""

_LOCK_ID = 0x72656275696C64
"""The advisory lock that is held while a rebuild of this database runs."""

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
# Fences each worker that loaded rows before the switch, so that it loads them again.
_FENCE = "update public.progress set epoch = epoch + 1"
_SAME_PARTS = """
select make_part(new.oid::regclass, to_date(substring(p.relname from '[0-9]{4}_[0-9]{2}$'), 'YYYY_MM'))
from pg_inherits i join pg_class t on t.oid = i.inhparent join pg_class p on p.oid = i.inhrelid
join pg_class new on new.relname = t.relname and new.relnamespace = 'rebuild'::regnamespace
where t.relkind = 'p' and t.relnamespace = 'public'::regnamespace and p.relname ~ '_[0-9]{4}_[0-9]{2}$'
"""
_NEW_PARTS = """
select p.relname::text as part from pg_inherits i join pg_class p on p.oid = i.inhrelid
where i.inhparent = any($1::text[]::regclass[]) order by 1
"""
# The new tables, and their parts, get the grants of the running ones.
_GRANTS = """
select format(
    'grant %s on rebuild.%I to %s%s',
    a.privilege_type,
    new.relname,
    case when a.grantee = 0 then 'public' else a.grantee::regrole::text end,
    case when a.is_grantable then ' with grant option' else '' end
) as statement
from pg_class c cross join aclexplode(c.relacl) a
join pg_class new on new.relnamespace = 'rebuild'::regnamespace and (
    new.relname = c.relname
    or new.oid in (
        select inhrelid from pg_inherits where inhparent = to_regclass(format('rebuild.%I', c.relname))
    )
)
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
    """Another session locks a table, so that it cannot be switched."""


async def connect(dsn: str) -> "asyncpg.Connection[Any]":
    """Connect as the owner of the running tables, with the new tables' schema as search path.

    Raises:
        CannotRun: the service has never run on this database.
        OSError, TimeoutError, asyncpg.PostgresError: the server cannot be reached or refuses.
    """
    db = await asyncpg.connect(
        dsn, timeout=10, server_settings=OPERATOR_SESSION | {"application_name": "rebuild"}
    )
    try:
        await roles.become_owner(db)
        await db.execute(f"set search_path to {SCHEMA}")
        # A rebuild that fails starts again from nothing, so only the switch needs to wait for the disk.
        await db.execute("set synchronous_commit to off")
    except BaseException:
        await db.close()
        raise
    return db


async def try_lock(db: Connection) -> bool:
    """Take the lock of this database's rebuild until the connection closes; False when another has it."""
    taken: bool = await db.fetchval("select pg_try_advisory_lock($1)", _LOCK_ID)
    return taken


async def require_same_migrations(db: Connection, wanted: Iterable[Migration]) -> None:
    """Raise CannotRun when the running tables do not have exactly this code's migrations."""
    applied = {row["name"]: row["checksum"] for row in await db.fetch(_APPLIED)}
    if applied != {migration.name: migration.checksum for migration in wanted}:
        raise CannotRun(
            "its tables are those of another version of the code: start the service in this version first"
        )


async def create(db: Connection, wanted: Iterable[Migration]) -> None:
    """Create empty tables in the schema by the service's own migrations, parted as the running ones.

    Drops those of an earlier rebuild.
    """
    await drop(db)
    await db.execute(f"create schema {SCHEMA}")
    await migrations.migrate(db, wanted)
    await db.execute(_SAME_PARTS)


async def drop(db: Connection) -> None:
    """Drop the schema of the new tables if it exists."""
    await db.execute("set client_min_messages to warning")
    await db.execute(f"drop schema if exists {SCHEMA} cascade")


async def store_start(db: Connection, first: Mapping[TopicPartition, int], epoch: int) -> None:
    """Store the first offsets to build; saves with another epoch are fenced."""
    await db.execute(
        _BEGIN,
        [tp.topic for tp in first],
        [tp.partition for tp in first],
        list(first.values()),
        epoch,
    )


async def stored_cluster(db: Connection) -> str | None:
    """The id of the Kafka cluster that the running tables belong to; None when none is stored."""
    stored: str | None = await db.fetchval(_CLUSTER)
    return stored


async def running_positions(
    db: Connection, topics: Iterable[str]
) -> dict[TopicPartition, Position]:
    """The running service's positions in these topics, of the partitions that it was ever assigned."""
    return {
        TopicPartition(r["topic"], r["partition"]): Position(
            r["next_offset"], r["epoch"], r["last_ms"]
        )
        for r in await db.fetch(_POSITIONS, list(topics))
    }


async def built_offsets(db: Connection) -> dict[TopicPartition, int]:
    """The next offset to build of each partition."""
    rows = await db.fetch(_BUILT)
    return {TopicPartition(r["topic"], r["partition"]): r["next_offset"] for r in rows}


@asynccontextmanager
async def paused(db: Connection) -> AsyncIterator[None]:
    """Block the running service's saves in the body; afterwards they go on.

    Raises:
        asyncpg.LockNotAvailableError: a running save did not end within 1 s.
        CannotRun: the body took longer than `PAUSE_S`; nothing is changed.
    """
    async with db.transaction():
        await db.execute("set local lock_timeout to '1s'")
        # A save locks progress first, so one that waits here holds no other lock that is needed.
        await db.execute("lock table public.progress in exclusive mode")
        try:
            async with asyncio.timeout(PAUSE_S) as pause:
                yield
        except TimeoutError:
            if not pause.expired():
                # A time-out of Kafka or the database inside the body.
                raise
            raise CannotRun(
                f"the rest could not be built within a pause of {PAUSE_S:g} s; try at a quieter time"
            ) from None


async def switch(db: Connection, tables: Collection[str], migrated: Sequence[Migration]) -> None:
    """Replace the running tables by the new ones; call during a pause.

    Raises:
        asyncpg.LockNotAvailableError: another session locks one of them for longer than 1 s.
        CannotRun: the running tables were migrated meanwhile, or a view depends on them.
    """
    names = [_quoted(table) for table in tables]
    await db.execute("set local synchronous_commit to on")
    await db.execute(
        f"lock table {', '.join(f'public.{name}' for name in names)} in access exclusive mode"
    )
    await require_same_migrations(db, migrated)
    for grant in await db.fetch(_GRANTS, list(tables)):
        await db.execute(grant["statement"])
    new_parts = await db.fetch(_NEW_PARTS, [f"{SCHEMA}.{name}" for name in names])
    try:
        for name in names:
            await db.execute(f"drop table public.{name}")
        for name in (*names, *(_quoted(part) for (part,) in new_parts)):
            await db.execute(f"alter table {SCHEMA}.{name} set schema public")
    except asyncpg.DependentObjectsStillExistError as error:
        # The error names tables and the objects that depend on them, no rows.
        raise CannotRun(f"{error}, such as a view that somebody added: drop it first") from error
    await db.execute(_FENCE)


async def analyze(db: Connection, tables: Iterable[str]) -> None:
    """Collect the planner's statistics of the new tables before they are switched in."""
    for table in tables:
        await db.execute(f"analyze {_quoted(table)}")


async def difference(db: Connection, table: str, query: str) -> Difference:
    """Run the comparing query of a table."""
    row = await db.fetchrow(query)
    assert row is not None, "a query that counts returns a row"
    return Difference(table, row["rows"], row["added"], row["changed"], row["gone"])


async def lock_holders(db: Connection, tables: Iterable[str]) -> list[str]:
    """Sessions that lock these running tables, as text: process id, application and seconds so far."""
    rows = await db.fetch(_HOLDERS, [f"public.{_quoted(table)}" for table in tables])
    return [
        f"process {r['pid']} ({r['application_name'] or 'unnamed'}, {r['seconds'] or 0} s)"
        for r in rows
    ]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
