"""A batch is saved whole or not at all, in one statement or in a transaction, on a real PostgreSQL."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import asyncpg
import pytest
from aiokafka import TopicPartition

from runtime.errors import Fenced, Outdated
from runtime.messages.message import Outgoing
from runtime.messages.positions import Acknowledged, Claim, Published
from runtime.postgres import migrations, outbox, progress, store
from runtime.postgres.connection import Connection
from runtime.postgres.statements import Writes
from tests.harness.database import migrated_pool

HERE = TopicPartition("in", 0)
OUTPUT = TopicPartition("output", 0)
RECORD = Outgoing("out", b"key", b"value", [("name", b"content")])

_ADD = "insert into things (id) select unnest($1::int[])"
_SEE = "insert into seen (id) select unnest($1::int[])"
_ADD_OTHER = "insert into things (id, other) select unnest($1::int[]), 7"
_DIVIDE = "insert into seen (id) select 7 / n from unnest($1::int[]) as n"


def as_one_statement(_: Writes) -> None:
    """Leave the writes free to go in one statement."""


def in_a_transaction(writes: Writes) -> None:
    writes.keep_order()


@pytest.fixture(params=[as_one_statement, in_a_transaction])
def way(request: pytest.FixtureRequest) -> Callable[[Writes], None]:
    """Each way to save, in turn."""
    chosen: Callable[[Writes], None] = request.param
    return chosen


@pytest.fixture
async def db(scratch: str) -> AsyncIterator[Connection]:
    """Open a database with two tables, and two assigned partitions."""
    wanted = migrations.read("runtime", migrations.RUNTIME)
    async with await migrated_pool(scratch, wanted) as pool, pool.acquire() as connection:
        await connection.execute("create table things (id int primary key, other int unique)")
        await connection.execute("create table seen (id int primary key)")
        await progress.raise_epochs(connection, {HERE: 0, OUTPUT: 0})
        yield connection


def claim(expected: int, epoch: int = 1) -> Claim:
    return Claim(HERE.topic, HERE.partition, expected, expected + 10, epoch, 1_795_000_000_000)


async def everything(db: Connection) -> dict[str, Any]:
    """Return the progress, the outbox and the tables."""
    positions = await progress.positions(db)
    return {
        "next": positions[HERE].next_offset,
        "output": positions[OUTPUT].next_offset,
        "outbox": [row.records for row in await outbox.leftovers(db, [0], 10)],
        "things": [row["id"] for row in await db.fetch("select id from things order by id")],
        "seen": [row["id"] for row in await db.fetch("select id from seen order by id")],
    }


async def test_progress_outbox_and_states_are_saved_together(
    db: Connection, way: Callable[[Writes], None]
) -> None:
    """Given claims that hold; then all is saved, and the ids of the outbox rows are returned."""
    writes = Writes()
    writes.execute("things", _ADD, [1, 2])
    writes.execute("seen", _SEE, [3])
    way(writes)
    ids = await store.save(db, [claim(0)], {0: [RECORD]}, writes)
    assert await everything(db) == {
        "next": 10,
        "output": 0,
        "outbox": [(RECORD,)],
        "things": [1, 2],
        "seen": [3],
    }
    assert [row.id for row in await outbox.leftovers(db, [0], 10)] == ids


@pytest.mark.parametrize("stale", [claim(0, epoch=2), claim(7)], ids=["epoch", "offset"])
async def test_a_worker_that_lost_its_partitions_writes_nothing(
    db: Connection, way: Callable[[Writes], None], stale: Claim
) -> None:
    """Given a stale claim and another worker's rows; then Fenced, not Outdated, and nothing is saved."""
    await db.execute(_ADD, [1])
    before = await everything(db)
    writes = Writes()
    writes.execute("things", _ADD, [1, 2])
    writes.execute("seen", _SEE, [3])
    way(writes)
    with pytest.raises(Fenced):
        await store.save(db, [stale], {0: [RECORD]}, writes)
    assert await everything(db) == before


async def test_a_row_that_should_be_new_and_is_not_makes_the_batch_outdated(
    db: Connection, way: Callable[[Writes], None]
) -> None:
    """Given a row that another worker added after the load; then nothing is saved, not even the progress."""
    await db.execute(_ADD, [1])
    before = await everything(db)
    writes = Writes()
    writes.require_new("things")
    writes.execute("seen", _SEE, [3])
    writes.execute("things", _ADD, [1])
    way(writes)
    with pytest.raises(Outdated):
        await store.save(db, [claim(0)], {0: [RECORD]}, writes)
    assert await everything(db) == before


async def test_another_conflict_is_an_error_of_ours(
    db: Connection, way: Callable[[Writes], None]
) -> None:
    """Given a conflict in a table whose rows need not be new; then it is raised: a new load would not help."""
    await db.execute(_SEE, [3])
    writes = Writes()
    writes.require_new("things")
    writes.execute("seen", _SEE, [3])
    way(writes)
    with pytest.raises(asyncpg.UniqueViolationError):
        await store.save(db, [claim(0)], {}, writes)


async def test_another_constraint_of_the_same_table_is_an_error_of_ours(
    db: Connection, way: Callable[[Writes], None]
) -> None:
    """Given a violated constraint beside the primary key; then it is raised: a new load would not help."""
    await db.execute(_ADD_OTHER, [1])
    writes = Writes()
    writes.require_new("things")
    writes.execute("things", _ADD_OTHER, [2])
    way(writes)
    with pytest.raises(asyncpg.UniqueViolationError):
        await store.save(db, [claim(0)], {}, writes)


async def test_a_statement_that_divides_by_zero_is_not_taken_for_fencing(
    db: Connection, way: Callable[[Writes], None]
) -> None:
    """Given claims that hold; then the statement's own error is raised, and nothing is saved."""
    before = await everything(db)
    writes = Writes()
    writes.execute("seen", _DIVIDE, [1, 0])
    way(writes)
    with pytest.raises(asyncpg.DivisionByZeroError):
        await store.save(db, [claim(0)], {0: [RECORD]}, writes)
    assert await everything(db) == before


async def test_who_is_fenced_learns_that_and_not_that_a_statement_divides_by_zero(
    db: Connection, way: Callable[[Writes], None]
) -> None:
    """Given a stale claim and a failing statement; then Fenced, as decisions under a stale claim are void."""
    writes = Writes()
    writes.execute("seen", _DIVIDE, [1, 0])
    way(writes)
    with pytest.raises(Fenced):
        await store.save(db, [claim(7)], {}, writes)


async def test_a_claim_that_no_longer_holds_fails_alone_too(db: Connection) -> None:
    """Given a claim without outputs or writes; then it is fenced each time, also under a generic plan."""
    for _ in range(10):
        with pytest.raises(Fenced):
            await progress.advance(db, [claim(7)], {})
    await progress.advance(db, [claim(0)], {})


async def test_what_is_published_leaves_the_outbox_with_the_next_batch(
    db: Connection, way: Callable[[Writes], None]
) -> None:
    """Given rows acknowledged out of order; then they are deleted, and the highest offset is stored."""
    ids = await store.save(db, [claim(0)], {0: [RECORD], 1: [RECORD]}, Writes())
    published = [
        Published(ids[:1], [Acknowledged(OUTPUT.topic, 0, 5, 1_795_000_000_005)]),
        Published(ids[1:], [Acknowledged(OUTPUT.topic, 0, 3, 1_795_000_000_003)]),
    ]
    writes = Writes()
    outbox.drop_with(writes, published)
    writes.execute("things", _ADD, [1])
    way(writes)
    await store.save(db, [claim(10)], {0: [RECORD]}, writes)
    assert await everything(db) == {
        "next": 20,
        "output": 5,
        "outbox": [(RECORD,)],
        "things": [1],
        "seen": [],
    }


async def test_what_is_published_leaves_the_outbox_by_itself(db: Connection) -> None:
    """Given no next batch; then rows are deleted without a wait for the disk, in that transaction only."""
    ids = await store.save(db, [claim(0)], {0: [RECORD], 1: [RECORD]}, Writes())
    await outbox.drop(
        db, [Published(ids[:1], [Acknowledged(OUTPUT.topic, 0, 5, 1_795_000_000_005)])]
    )
    assert len(await outbox.leftovers(db, [0, 1], 10)) == 1
    await outbox.drop(db, [Published(ids[1:], [])])
    assert await outbox.leftovers(db, [0, 1], 10) == []
    assert (await progress.positions(db))[OUTPUT].next_offset == 5
    assert await db.fetchval("show synchronous_commit") == "on"
