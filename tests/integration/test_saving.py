"""A batch is saved whole or not at all, as one statement or in a transaction, on a real PostgreSQL."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import asyncpg
import pytest
from aiokafka import TopicPartition

from runtime import ledger, migrations
from runtime.connection import Connection
from runtime.database import open_loop_pool
from runtime.failures import Outdated
from runtime.ledger import Claim, Fenced, Published, Told
from runtime.records import Outgoing
from runtime.writes import Writes

HERE = TopicPartition("in", 0)
OWN = TopicPartition("own", 0)
RECORD = Outgoing("out", b"key", b"value", [("name", b"content")])

_ADD = "insert into things (id) select unnest($1::int[])"
_SEE = "insert into seen (id) select unnest($1::int[])"


def as_one_statement(_: Writes) -> None:
    """Nothing stands against it."""


def in_a_transaction(writes: Writes) -> None:
    writes.in_order()


@pytest.fixture(params=[as_one_statement, in_a_transaction])
def way(request: pytest.FixtureRequest) -> Callable[[Writes], None]:
    """Both ways to save."""
    chosen: Callable[[Writes], None] = request.param
    return chosen


@pytest.fixture
async def db(scratch: str) -> AsyncIterator[Connection]:
    """A database with two tables, of which partitions were taken."""
    wanted = migrations.read("runtime", migrations.RUNTIME)
    async with await open_loop_pool(scratch, wanted) as pool, pool.acquire() as connection:
        await connection.execute("create table things (id int primary key)")
        await connection.execute("create table seen (id int primary key)")
        await ledger.take(connection, {HERE: 0, OWN: 0})
        yield connection


def claim(expected: int, epoch: int = 1) -> Claim:
    return Claim(HERE.topic, HERE.partition, expected, expected + 10, epoch, 1_795_000_000_000)


async def everything(db: Connection) -> dict[str, Any]:
    """What the database holds."""
    positions = await ledger.positions(db)
    return {
        "next": positions[HERE].next_offset,
        "known": positions[OWN].next_offset,
        "outbox": [row.records for row in await ledger.leftovers(db, [0], 10)],
        "things": [row["id"] for row in await db.fetch("select id from things order by id")],
        "seen": [row["id"] for row in await db.fetch("select id from seen order by id")],
    }


async def test_progress_outbox_and_states_are_saved_together(
    db: Connection, way: Callable[[Writes], None]
) -> None:
    """Given claims that hold; then all of it is there, and the ids of the outbox rows are told."""
    writes = Writes()
    writes.execute("things", _ADD, [1, 2])
    writes.execute("seen", _SEE, [3])
    way(writes)
    ids = await ledger.save(db, [claim(0)], {0: [RECORD]}, writes)
    assert await everything(db) == {
        "next": 10,
        "known": 0,
        "outbox": [(RECORD,)],
        "things": [1, 2],
        "seen": [3],
    }
    assert [row.id for row in await ledger.leftovers(db, [0], 10)] == ids


@pytest.mark.parametrize("stale", [claim(0, epoch=2), claim(7)], ids=["epoch", "offset"])
async def test_a_worker_that_lost_its_partitions_writes_nothing(
    db: Connection, way: Callable[[Writes], None], stale: Claim
) -> None:
    """Given another's rows, too; then a stale claim is what is told, and nothing is written."""
    await db.execute(_ADD, [1])
    before = await everything(db)
    writes = Writes()
    writes.execute("things", _ADD, [1, 2])
    writes.execute("seen", _SEE, [3])
    way(writes)
    with pytest.raises(Fenced):
        await ledger.save(db, [stale], {0: [RECORD]}, writes)
    assert await everything(db) == before


async def test_a_row_that_should_be_new_and_is_not_makes_the_batch_outdated(
    db: Connection, way: Callable[[Writes], None]
) -> None:
    """Given a row that another worker has added since; then nothing is written, not even the progress."""
    await db.execute(_ADD, [1])
    before = await everything(db)
    writes = Writes()
    writes.expect_new("things")
    writes.execute("seen", _SEE, [3])
    writes.execute("things", _ADD, [1])
    way(writes)
    with pytest.raises(Outdated):
        await ledger.save(db, [claim(0)], {0: [RECORD]}, writes)
    assert await everything(db) == before


async def test_another_conflict_is_an_error_of_ours(
    db: Connection, way: Callable[[Writes], None]
) -> None:
    """Given a row of a table of which nobody said so; then it is no reason to load again for ever."""
    await db.execute(_SEE, [3])
    writes = Writes()
    writes.expect_new("things")
    writes.execute("seen", _SEE, [3])
    way(writes)
    with pytest.raises(asyncpg.UniqueViolationError):
        await ledger.save(db, [claim(0)], {}, writes)


async def test_what_is_published_leaves_the_outbox_with_the_next_batch(
    db: Connection, way: Callable[[Writes], None]
) -> None:
    """Given published rows, told in any order; then they go, and our topic is known by the newest."""
    ids = await ledger.save(db, [claim(0)], {0: [RECORD], 1: [RECORD]}, Writes())
    published = [
        Published(ids[:1], [Told(OWN.topic, 0, 5, 1_795_000_000_005)]),
        Published(ids[1:], [Told(OWN.topic, 0, 3, 1_795_000_000_003)]),
    ]
    writes = Writes()
    ledger.drop_with(writes, published)
    writes.execute("things", _ADD, [1])
    way(writes)
    await ledger.save(db, [claim(10)], {0: [RECORD]}, writes)
    assert await everything(db) == {
        "next": 20,
        "known": 5,
        "outbox": [(RECORD,)],
        "things": [1],
        "seen": [],
    }


async def test_what_is_published_leaves_the_outbox_by_itself(db: Connection) -> None:
    """Given nothing that follows; then it goes without waiting for the disk, and only this once."""
    ids = await ledger.save(db, [claim(0)], {0: [RECORD], 1: [RECORD]}, Writes())
    await ledger.drop(db, [Published(ids[:1], [Told(OWN.topic, 0, 5, 1_795_000_000_005)])])
    assert len(await ledger.leftovers(db, [0, 1], 10)) == 1
    await ledger.drop(db, [Published(ids[1:], [])])
    assert await ledger.leftovers(db, [0, 1], 10) == []
    assert (await ledger.positions(db))[OWN].next_offset == 5
    assert await db.fetchval("show synchronous_commit") == "on"
