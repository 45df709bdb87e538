"""The contract of the port `Store`, tested on PostgreSQL and on the fake of the unit tests."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from aiokafka import TopicPartition

from runtime.errors import Fenced, Outdated
from runtime.loop.ports import Store
from runtime.messages.message import Outgoing, Timer
from runtime.messages.positions import Acknowledged, Changes, Claim, Position, Published
from runtime.postgres import migrations
from runtime.postgres.statements import Writes
from runtime.postgres.store import PostgresStore
from tests.harness.audit import a_chain
from tests.harness.database import migrated_pool
from tests.unit.runtime.memory_store import MemoryStore

HERE, THERE, OUTPUT = TopicPartition("in", 0), TopicPartition("in", 1), TopicPartition("output", 0)
EARLIEST = {HERE: 5, THERE: 0, OUTPUT: 0}
CLUSTER = "cluster-one"
LAST_MS = 1_795_000_000_000

CLAIM = Claim(HERE.topic, HERE.partition, 5, 15, 1, LAST_MS)
AGO, LATER = timedelta(days=-1), timedelta(days=1)

_ADD = "insert into things (id) select unnest($1::int[])"


class Refused(Exception):
    """Raised by a test inside a transaction of the store."""


@dataclass
class Subject:
    """A store, the table `things` beside it, and how to open the store again as after a restart."""

    store: Store
    things: Callable[[], Awaitable[Sequence[int]]]
    """Returns the keys in the table `things`."""
    restarted: Callable[[], Store]

    async def take(self) -> dict[TopicPartition, Position]:
        """Acquire all partitions."""
        async with self.store.assigning(CLUSTER, EARLIEST) as taken:
            return dict(taken.positions)

    async def save(self, changes: Changes, *things: int, new: bool = False) -> Sequence[int]:
        """Save these changes, and insert these keys into `things`."""
        writes = Writes()
        if new:
            writes.require_new("things")
        if things:
            writes.execute("things", _ADD, [*things])
        async with self.store.session() as session:
            return await session.save(changes, writes)

    async def outbox(self, *partitions: int) -> list[str]:
        """Return the values of the records in the outbox of these partitions, in order."""
        rows = await self.store.leftovers(partitions or (0, 1), 100)
        return [(record.value or b"").decode() for row in rows for record in row.records]


@pytest.fixture
def in_memory() -> Subject:
    """Return the fake of the unit tests."""
    fake = MemoryStore()
    fake.now = datetime.now(UTC)

    async def added() -> Sequence[int]:
        return fake.state.tables.get("things", [])

    return Subject(fake, added, lambda: fake)


@pytest.fixture
async def on_postgres(scratch: str) -> AsyncIterator[Subject]:
    """Open a PostgreSQL store on a database with the runtime's tables and `things`."""
    wanted = migrations.read("runtime", migrations.RUNTIME)
    async with await migrated_pool(scratch, wanted) as pool:
        await pool.execute("create table things (id int primary key)")

        async def rows() -> Sequence[int]:
            return [r["id"] for r in await pool.fetch("select id from things order by id")]

        yield Subject(PostgresStore(pool, a_chain()), rows, lambda: PostgresStore(pool, a_chain()))


@pytest.fixture(params=["on_postgres", "in_memory"])
def subject(request: pytest.FixtureRequest) -> Subject:
    """Each store in turn, before any partition is assigned."""
    chosen: Subject = request.getfixturevalue(request.param)
    return chosen


def record(value: str) -> Outgoing:
    return Outgoing("out", b"key", value.encode(), [("name", b"content"), ("empty", None)])


def timer(number: int, due_in: timedelta, value: str) -> Timer:
    return Timer(str(UUID(int=number)), datetime.now(UTC) + due_in, record(value))


def acknowledged(next_offset: int) -> Acknowledged:
    return Acknowledged(OUTPUT.topic, OUTPUT.partition, next_offset, LAST_MS + next_offset)


async def test_partitions_taken_first_begin_at_their_earliest_offset(subject: Subject) -> None:
    assert await subject.take() == {
        HERE: Position(5, 1),
        THERE: Position(0, 1),
        OUTPUT: Position(0, 1),
    }


async def test_partitions_taken_again_go_on_with_a_newer_epoch(subject: Subject) -> None:
    await subject.take()
    await subject.save(Changes([CLAIM]))
    subject.store = subject.restarted()
    positions = await subject.take()
    assert positions[HERE] == Position(15, 2, LAST_MS)
    assert positions[THERE] == Position(0, 2)


async def test_a_refusal_while_taking_changes_nothing(subject: Subject) -> None:
    """Given a check that fails during the assignment; then neither epochs nor cluster are saved."""
    with pytest.raises(Refused):
        async with subject.store.assigning("cluster-two", EARLIEST):
            raise Refused
    async with subject.store.assigning(CLUSTER, EARLIEST) as taken:
        assert taken.cluster == CLUSTER
        assert {position.epoch for position in taken.positions.values()} == {1}


async def test_the_first_cluster_is_the_one_that_stays(subject: Subject) -> None:
    await subject.take()
    async with subject.store.assigning("cluster-two", EARLIEST) as taken:
        assert taken.cluster == CLUSTER


async def test_a_batch_is_saved_whole(subject: Subject) -> None:
    await subject.take()
    changes = Changes([CLAIM], {0: [record("a"), record("b")], 1: [record("c")]})
    ids = await subject.save(changes, 1, 2)
    assert (await subject.take())[HERE] == Position(15, 2, LAST_MS)
    assert await subject.things() == [1, 2]
    rows = await subject.store.leftovers([0, 1], 10)
    assert [row.id for row in rows] == [*ids]
    assert [(row.partition, row.records) for row in rows] == [
        (0, (record("a"), record("b"))),
        (1, (record("c"),)),
    ]


STALE = {
    "older epoch": replace(CLAIM, epoch=0),
    "newer epoch": replace(CLAIM, epoch=2),
    "passed offset": replace(CLAIM, expected=4),
    "never taken": replace(CLAIM, topic="elsewhere"),
}


@pytest.mark.parametrize("stale", STALE.values(), ids=STALE)
async def test_one_stale_claim_fences_the_whole_batch(subject: Subject, stale: Claim) -> None:
    await subject.take()
    due = timer(1, AGO, "due")
    good = Claim(THERE.topic, THERE.partition, 0, 9, 1)
    with pytest.raises(Fenced):
        await subject.save(Changes([good, stale], {0: [record("a")]}, timers=[(0, due)]), 1)
    assert await subject.outbox() == []
    assert await subject.things() == []
    assert not await subject.store.any_due([0])
    assert (await subject.take())[THERE] == Position(0, 2)


async def test_a_batch_is_not_saved_twice(subject: Subject) -> None:
    """Given a save whose answer was lost, when it is retried, then it is fenced: the offset has moved."""
    await subject.take()
    await subject.save(Changes([CLAIM], {0: [record("a")]}))
    with pytest.raises(Fenced):
        await subject.save(Changes([CLAIM], {0: [record("a")]}))
    assert await subject.outbox() == ["a"]


async def test_a_claim_that_moves_nothing_holds_again_and_again(subject: Subject) -> None:
    """Given a trial save, which leaves the offset; then its claim holds every time, and `last_ms` stays."""
    await subject.take()
    await subject.save(Changes([CLAIM]))
    for _ in range(2):
        await subject.save(Changes([replace(CLAIM, expected=15, last_ms=None)]))
    assert (await subject.take())[HERE] == Position(15, 2, LAST_MS)


async def test_a_row_that_should_be_new_and_exists_makes_the_batch_outdated(
    subject: Subject,
) -> None:
    await subject.take()
    await subject.save(Changes([CLAIM]), 1)
    moved = replace(CLAIM, expected=15, next_offset=20)
    with pytest.raises(Outdated):
        await subject.save(Changes([moved], {0: [record("a")]}), 2, 1, new=True)
    assert await subject.things() == [1]
    assert await subject.outbox() == []
    await subject.save(Changes([moved]), 2, new=True)


async def test_what_fails_just_before_the_commit_leaves_nothing(subject: Subject) -> None:
    await subject.take()

    def refuse() -> None:
        raise Refused

    async with subject.store.session() as session:
        with pytest.raises(Refused):
            await session.save(Changes([CLAIM], {0: [record("a")]}), Writes(), refuse)
    assert await subject.outbox() == []
    assert (await subject.take())[HERE].next_offset == 5


async def test_leftovers_come_in_the_order_in_which_they_were_saved(subject: Subject) -> None:
    await subject.take()
    for step, value in enumerate("abc"):
        moved = replace(CLAIM, expected=5 + step, next_offset=6 + step)
        await subject.save(Changes([moved], {0: [record(value)], 1: [record(value.upper())]}))
    subject.store = subject.restarted()
    assert await subject.outbox(0) == ["a", "b", "c"]
    assert await subject.outbox(1) == ["A", "B", "C"]
    assert await subject.outbox(7) == []
    assert [row.records for row in await subject.store.leftovers([0], 2)] == [
        (record("a"),),
        (record("b"),),
    ]


async def test_published_rows_go_and_the_output_topic_stands_at_the_furthest(
    subject: Subject,
) -> None:
    await subject.take()
    ids = await subject.save(Changes([CLAIM], {0: [record("a")], 1: [record("b")]}))
    await subject.store.drop([Published(ids[:1], [acknowledged(5), acknowledged(3)])])
    assert await subject.outbox() == ["b"]
    await subject.store.drop([Published(ids[1:], [acknowledged(4)])])
    assert await subject.outbox() == []
    assert (await subject.take())[OUTPUT] == Position(5, 2, LAST_MS + 5)


async def test_published_rows_go_with_the_next_batch(subject: Subject) -> None:
    await subject.take()
    ids = await subject.save(Changes([CLAIM], {0: [record("a")]}))
    moved = replace(CLAIM, expected=15, next_offset=20)
    published = [Published(ids, [acknowledged(7)])]
    await subject.save(Changes([moved], {0: [record("b")]}, published=published))
    assert await subject.outbox() == ["b"]
    positions = await subject.take()
    assert (positions[HERE].next_offset, positions[OUTPUT].next_offset) == (20, 7)


async def test_published_rows_stay_when_the_batch_is_fenced(subject: Subject) -> None:
    await subject.take()
    ids = await subject.save(Changes([CLAIM], {0: [record("a")]}))
    with pytest.raises(Fenced):
        await subject.save(Changes([CLAIM], published=[Published(ids, [acknowledged(7)])]))
    assert await subject.outbox() == ["a"]


async def test_stale_rows_are_those_of_these_partitions_that_are_older(subject: Subject) -> None:
    await subject.take()
    assert not await subject.store.has_stale([0, 1], 0)
    await subject.save(Changes([CLAIM], {0: [record("a")]}))
    assert await subject.store.has_stale([0, 1], 0)
    assert not await subject.store.has_stale([1], 0)
    assert not await subject.store.has_stale([0, 1], 3600)


async def test_due_timers_move_to_the_outbox_once_the_earliest_first(subject: Subject) -> None:
    await subject.take()
    timers = [timer(1, AGO, "second"), timer(2, 2 * AGO, "first"), timer(3, LATER, "later")]
    await subject.save(Changes([CLAIM], timers=[(0, t) for t in timers]))
    assert await subject.store.any_due([0])
    claims = [replace(CLAIM, expected=15)]
    fired = await subject.store.fire([0, 1], claims)
    assert fired.outputs == {0: [record("first"), record("second")]}
    assert [row.id for row in await subject.store.leftovers([0], 10)] == [*fired.ids]
    assert not await subject.store.any_due([0])
    assert (await subject.store.fire([0, 1], claims)).outputs == {}


async def test_timers_of_other_partitions_stay(subject: Subject) -> None:
    await subject.take()
    await subject.save(Changes([CLAIM], timers=[(1, timer(1, AGO, "theirs"))]))
    assert not await subject.store.any_due([0])
    assert not (await subject.store.fire([0], [replace(CLAIM, expected=15)])).ids
    assert await subject.store.any_due([1])


async def test_who_is_fenced_fires_no_timer(subject: Subject) -> None:
    await subject.take()
    await subject.save(Changes([CLAIM], timers=[(0, timer(1, AGO, "due"))]))
    await subject.take()
    with pytest.raises(Fenced):
        await subject.store.fire([0], [replace(CLAIM, expected=15)])
    assert await subject.outbox() == []
    assert await subject.store.any_due([0])


async def test_a_timer_that_is_set_again_is_replaced_and_one_that_is_cancelled_goes(
    subject: Subject,
) -> None:
    await subject.take()
    due = [(0, timer(1, AGO, "one")), (0, timer(2, AGO, "two"))]
    await subject.save(Changes([CLAIM], timers=due))
    later = timer(1, LATER, "one")
    moved = replace(CLAIM, expected=15, next_offset=20)
    await subject.save(Changes([moved], timers=[(0, later)]))
    cancelled = [str(UUID(int=2)), str(UUID(int=9))]
    await subject.save(Changes([replace(moved, expected=20)], cancelled=cancelled))
    assert not await subject.store.any_due([0])
