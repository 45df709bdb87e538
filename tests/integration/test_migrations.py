"""Migrations on a real PostgreSQL: each file is applied once, all or nothing, by one process at a time."""

import asyncio
from collections.abc import AsyncIterator
from typing import TypeAlias

import asyncpg
import pytest
from aiokafka import TopicPartition

from runtime.errors import Fenced
from runtime.messages.message import Outgoing
from runtime.messages.positions import Changes, Claim, Position
from runtime.postgres.migrations import RUNTIME, Migration, MigrationChanged, migrate, read
from runtime.postgres.statements import Writes
from runtime.postgres.store import PostgresStore
from services.ordering import store
from services.ordering.app import SERVICE
from tests.harness.audit import a_chain
from tests.harness.database import migrated_pool

Db: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

ONE = Migration("test/0001_one.sql", "create table one (id int); insert into one values (1);")
TWO = Migration("test/0002_two.sql", "alter table one add column name text;")
BROKEN = Migration("test/0003_broken.sql", "create table three (id int); select * from nowhere;")
WITH_NAMES = (
    '{"practice":"01999001","version":7,"medications":['
    '{"prk":"5487","status":"chronic","dosage":"’s avonds 1","quantity":180,"high_risk":true,'
    '"repeat_service":false},'
    '{"prk":"21105","status":"stopped","dosage":"","quantity":21,"high_risk":false,'
    '"repeat_service":true}]}'
)
"""An overview as ordering stored it after its third migration."""

SLOW = Migration("test/0001_slow.sql", "select pg_sleep(0.5); create table slow (id int);")


@pytest.fixture
async def db(scratch: str) -> AsyncIterator[Db]:
    """Open a connection to the empty database."""
    connection = await asyncpg.connect(scratch)
    yield connection
    await connection.close()


async def test_new_files_are_applied_in_order_and_named(
    db: Db,
) -> None:
    assert await migrate(db, [ONE, TWO]) == [ONE.name, TWO.name]
    rows = await db.fetch("select id, name from one")
    assert [(row["id"], row["name"]) for row in rows] == [(1, None)]


async def test_a_second_run_does_nothing(db: Db) -> None:
    await migrate(db, [ONE])
    assert await migrate(db, [ONE]) == []
    assert await db.fetchval("select count(*) from one") == 1


async def test_a_later_file_is_applied_to_what_is_there(
    db: Db,
) -> None:
    await migrate(db, [ONE])
    assert await migrate(db, [ONE, TWO]) == [TWO.name]


async def test_a_file_that_changed_after_it_was_applied_is_refused(
    db: Db,
) -> None:
    await migrate(db, [ONE])
    changed = Migration(ONE.name, ONE.sql + " -- a small correction")
    with pytest.raises(MigrationChanged, match=r"0001_one\.sql was changed.*add a new file"):
        await migrate(db, [changed, TWO])
    assert await _files(db) == [ONE.name]


async def test_a_file_that_is_gone_is_refused(db: Db) -> None:
    """Given a database that was migrated by newer code; then older code refuses it."""
    await migrate(db, [ONE, TWO])
    with pytest.raises(MigrationChanged, match=r"0002_two\.sql was applied but is not in this"):
        await migrate(db, [ONE])


async def test_a_failing_file_leaves_nothing_of_itself_or_of_those_before_it(
    db: Db,
) -> None:
    with pytest.raises(asyncpg.UndefinedTableError):
        await migrate(db, [ONE, TWO, BROKEN])
    tables = await db.fetch("select tablename from pg_tables where schemaname = 'public'")
    assert tables == []


async def test_two_processes_at_once_apply_each_file_once(scratch: str) -> None:
    one, other = [await asyncpg.connect(scratch) for _ in range(2)]
    try:
        applied = await asyncio.gather(migrate(one, [SLOW]), migrate(other, [SLOW]))
        assert sorted(applied) == [[], [SLOW.name]]
        assert await _files(one) == [SLOW.name]
    finally:
        await asyncio.gather(one.close(), other.close())


async def test_the_loops_own_tables_come_from_its_files(
    db: Db,
) -> None:
    await migrate(db, read("runtime", RUNTIME))
    rows = await db.fetch("select tablename from pg_tables where schemaname = 'public'")
    own = {"migrations", "progress", "outbox", "timers", "kafka", "audit", "audit_heads"}
    assert {row[0] for row in rows} == own | {"rate_limits"}


OLD_ROW = b"\x91\x94\xa3out\xc4\x03key\xc4\x05value\x91\x92\xa4name\xc4\x07content"
"""An outbox row after the runtime's third migration: a list of one record. A timer stores the record only."""

HERE = TopicPartition("in", 0)


async def test_an_installation_from_before_the_function_fence_goes_on(scratch: str) -> None:
    """Given progress, an outbox row and a due timer from the code before migration 0004;
    then the new code reads them unchanged, and saves."""
    files = read("runtime", RUNTIME)
    db = await asyncpg.connect(scratch)
    await migrate(db, files[:3])
    await db.execute("insert into kafka (cluster) values ('one')")
    await db.execute("insert into progress values ('in', 0, 7, 3, 1795000000000)")
    await db.execute("insert into outbox (partition, records) values (0, $1)", OLD_ROW)
    add = "insert into timers values (gen_random_uuid(), 0, now() - interval '1 day', $1)"
    await db.execute(add, OLD_ROW[1:])
    await db.close()
    record = Outgoing("out", b"key", b"value", [("name", b"content")])
    async with await migrated_pool(scratch, files) as pool:
        subject = PostgresStore(pool, a_chain())
        async with subject.assigning("another", {HERE: 0}) as taken:
            assert taken.cluster == "one"
        assert taken.positions == {HERE: Position(7, 4, 1795000000000)}
        assert [row.records for row in await subject.leftovers([0], 10)] == [(record,)]
        fired = await subject.fire([0], [Claim("in", 0, 7, 7, 4)])
        assert fired.outputs == {0: [record]}
        async with subject.session() as session:
            await session.save(Changes([Claim("in", 0, 7, 9, 4)]), Writes())
            with pytest.raises(Fenced):
                await session.save(Changes([Claim("in", 0, 7, 9, 4)]), Writes())
        assert await pool.fetchval("select records from outbox order by id desc") == OLD_ROW


async def test_ordering_reads_all_overviews_again_when_it_keeps_more_of_them(db: Db) -> None:
    """Given copies from the time of the third migration; when the later files are applied, then none is left,
    and the topic is read from its start, once for each file that keeps more."""
    files = read("ordering", SERVICE.migrations)
    await migrate(db, [*read("runtime", RUNTIME), *files[:3]])
    add = "insert into overviews (patient, version, body) values ($1, $2, $3)"
    await db.execute(add, "pat_anna0001", 7, WITH_NAMES.encode())
    await db.execute(
        "insert into progress (topic, partition, next_offset, epoch, last_ms) values"
        " ('medication.status', 0, 90, 4, 1), ('orders.requests', 0, 70, 4, 1)"
    )
    await migrate(db, [*read("runtime", RUNTIME), *files])
    assert await store.overviews(db, ["pat_anna0001"]) == {}
    rows = await db.fetch("select topic, next_offset, epoch, last_ms from progress order by topic")
    assert [tuple(row) for row in rows] == [
        ("medication.status", 0, 6, None),
        ("orders.requests", 70, 4, 1),
    ]


async def _files(db: Db) -> list[str]:
    return [row["name"] for row in await db.fetch("select name from migrations order by name")]
