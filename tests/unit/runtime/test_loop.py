"""The loop over batches, with a database, a publisher and a handler in memory."""

import asyncio
from collections.abc import Iterable, Iterator, MutableMapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from aiokafka import TopicPartition
from structlog.testing import capture_logs

from runtime.ledger import Position
from runtime.loop import ATTEMPTS, Loop
from runtime.parsing import Parser
from runtime.records import Outgoing, Timer, partition_of
from runtime.telemetry import Telemetry
from schemas.topics import ORDERS_REQUESTS
from tests.harness.made import an_order
from tests.harness.records import Delivered, delivered
from tests.unit.runtime.fakes import Database, Failure, Noted, NoWait, Remarks, Wire, taken

ANNA = "pat_anna0001"
HOME = partition_of(ANNA.encode(), ORDERS_REQUESTS.partitions)
HERE = TopicPartition(ORDERS_REQUESTS.name, HOME)
TWIN = TopicPartition("medication.status", HOME)
LETTERS = "ordering.dead-letters"
TIMER = Timer(
    UUID(int=7), datetime(2026, 11, 23, tzinfo=UTC), Outgoing("orders.reviews", b"k", b"due", [])
)


@dataclass
class Bench:
    """A loop that has taken one partition of two topics, and all that it touches."""

    loop: Loop[Noted]
    database: Database
    wire: Wire
    handler: Remarks
    telemetry: Telemetry

    async def run(self, records: Iterable[Delivered]) -> None:
        """One batch, until it is published."""
        await self.loop.on_batch([*records])
        await self.loop.published()

    @property
    def next_offset(self) -> int:
        """What the database says."""
        return self.database.state.progress[HERE][0]

    @property
    def buried(self) -> list[str | None]:
        """The reasons of all dead letters published."""
        letters = [dict(r.headers) for r in self.wire.published if r.topic == LETTERS]
        return [(letter["dl_reason"] or b"").decode() for letter in letters]

    def dead_letters(self, reason: str) -> float | None:
        """How many Prometheus sees."""
        labels = {"service": "ordering", "reason": reason}
        return self.telemetry.registry.get_sample_value("herhaal_dead_letters_total", labels)


@pytest.fixture(autouse=True)
def lines() -> Iterator[list[MutableMapping[str, Any]]]:
    """What was logged, kept instead of written."""
    with capture_logs() as captured:
        yield captured


@pytest.fixture
async def bench() -> Bench:
    """Everything new for each test."""
    database, wire, handler, telemetry = Database(), Wire(), Remarks(TIMER), Telemetry("ordering")
    parser = Parser.of([ORDERS_REQUESTS])
    fakes: Any = (handler, database, wire, telemetry, NoWait)
    loop: Loop[Noted] = Loop("ordering", parser, *fakes)
    loop.own({tp: Position(0, 1) for tp in taken(database, HERE, TWIN)})
    return Bench(loop, database, wire, handler, telemetry)


def orders(*remarks: str, first: int = 0) -> list[Delivered]:
    """Orders with these remarks, at offsets from `first` on."""
    return [
        delivered(ORDERS_REQUESTS, an_order(ANNA, remark=remark), offset=offset)
        for offset, remark in enumerate(remarks, start=first)
    ]


def raising(error: Exception) -> Failure:
    """A commit that fails with this error."""
    return lambda: error


async def test_a_batch_is_saved_published_and_dropped_from_the_outbox(bench: Bench) -> None:
    await bench.run(orders("a", "b"))
    assert bench.database.state.saved == bench.wire.told("out") == ["a", "b"]
    assert bench.database.state.outbox == {}
    assert bench.next_offset == bench.loop.owned[HERE].next_offset == 2


async def test_records_that_were_handled_before_are_skipped(bench: Bench) -> None:
    await bench.run(orders("a", "b"))
    await bench.run(orders("a", "b", "c"))
    assert bench.handler.handled == ["a", "b", "c"]


async def test_offsets_may_have_gaps(bench: Bench) -> None:
    """Compaction and a producer's transactions leave offsets out."""
    await bench.run([*orders("a", first=3), *orders("b", first=9)])
    assert bench.next_offset == 10


async def test_records_of_a_partition_that_was_not_taken_are_left_alone(bench: Bench) -> None:
    bench.loop.own({})
    await bench.run(orders("a"))
    assert bench.handler.handled == []
    assert bench.wire.published == []


async def test_a_record_on_another_partition_than_its_keys_is_sent_home_as_it_is(
    bench: Bench,
) -> None:
    away = TopicPartition(ORDERS_REQUESTS.name, (HOME + 1) % ORDERS_REQUESTS.partitions)
    bench.loop.own({tp: Position(0, 1) for tp in taken(bench.database, away)})
    (record,) = orders("a")
    record.partition = away.partition
    await bench.run([record])
    (moved,) = bench.wire.published
    assert (moved.topic, moved.key, moved.value) == (record.topic, record.key, record.value)
    assert list(moved.headers) == list(record.headers)
    assert bench.handler.handled == []


async def test_an_unreadable_record_is_buried_and_its_neighbours_are_handled(bench: Bench) -> None:
    before, bad, after = orders("a", "b", "c")
    bad.value = b"{"
    await bench.run([before, bad, after])
    assert bench.wire.told("out") == ["a", "c"]
    assert bench.buried == ["bad_json"]
    assert bench.dead_letters("bad_json") == 1
    assert bench.next_offset == 3


async def test_a_rejected_record_is_buried_with_the_services_own_reason(bench: Bench) -> None:
    await bench.run(orders("a", "reject", "b"))
    assert bench.buried == ["not_wanted"]
    assert bench.wire.told("out") == ["a", "b"]


async def test_a_record_that_the_handler_raises_on_is_buried_after_bounded_attempts(
    bench: Bench,
) -> None:
    await bench.run(orders("a", "raise", "b"))
    assert bench.handler.handled.count("raise") == ATTEMPTS
    assert bench.buried == ["handler_failed"]
    assert bench.database.state.saved == bench.wire.told("out") == ["a", "b"]
    assert bench.next_offset == 3


async def test_several_that_the_handler_raises_on_are_each_buried(bench: Bench) -> None:
    await bench.run(orders("raise", "a", "raise", "raise", "b"))
    assert bench.buried == ["handler_failed"] * 3
    assert bench.wire.told("out") == ["a", "b"]


@pytest.mark.parametrize("what", ["unsavable", "unloadable"])
async def test_one_record_of_many_that_cannot_be_saved_is_found_and_buried(
    bench: Bench, what: str
) -> None:
    await bench.run(orders("a", what, "b", "c"))
    assert bench.buried == ["save_failed"]
    assert bench.database.state.saved == bench.wire.told("out") == ["a", "b", "c"]
    assert bench.next_offset == 4


async def test_neither_a_letter_nor_a_log_line_quotes_what_the_error_said(
    bench: Bench, lines: list[MutableMapping[str, Any]]
) -> None:
    await bench.run(orders("raise", "unsavable"))
    texts = [v for line in lines for v in line.values() if isinstance(v, str)]
    texts += [str(r.headers) for r in bench.wire.published]
    assert len(texts) > 5
    assert [text for text in texts if ANNA in text] == []


async def test_a_failure_that_passes_is_tried_for_ever_and_buries_nothing(bench: Bench) -> None:
    away = [ConnectionResetError(), asyncpg.DeadlockDetectedError(), TimeoutError()] * ATTEMPTS
    bench.database.on_commit = [*map(raising, away)]
    await bench.run(orders("a", "b"))
    assert bench.handler.handled == ["a", "b"] * (len(away) + 1)
    assert bench.buried == []
    assert bench.database.state.saved == bench.wire.told("out") == ["a", "b"]


async def test_failures_that_pass_do_not_count_as_attempts_on_a_record(bench: Bench) -> None:
    """A handler that raises is tried as often with the database away in between."""
    bench.database.on_commit = [ConnectionResetError] * 5
    await bench.run(orders("a"))
    await bench.run(orders("raise", first=1))
    assert bench.handler.handled.count("raise") == ATTEMPTS


async def test_a_worker_whose_epoch_is_old_writes_nothing_and_owns_nothing(bench: Bench) -> None:
    taken(bench.database, HERE, epoch=2)
    await bench.run(orders("a"))
    assert bench.database.state.saved == []
    assert bench.wire.published == []
    assert bench.loop.owned == {}
    assert bench.loop.fenced.is_set()


async def test_losing_another_topic_of_the_same_partition_number_fences_too(bench: Bench) -> None:
    """One patient's records of all topics belong to one worker, or the states would mix."""
    taken(bench.database, TWIN, epoch=2)
    await bench.run(orders("a"))
    assert bench.database.state.saved == []
    assert bench.loop.fenced.is_set()


async def test_taking_again_after_being_fenced_goes_on(bench: Bench) -> None:
    taken(bench.database, HERE, TWIN, epoch=2)
    await bench.run(orders("a"))
    bench.loop.own({HERE: Position(0, 2), TWIN: Position(0, 2)})
    assert not bench.loop.fenced.is_set()
    await bench.run(orders("a"))
    assert bench.database.state.saved == ["a"]


async def test_a_commit_whose_answer_was_lost_is_not_done_twice(bench: Bench) -> None:
    bench.database.after_commit = [ConnectionResetError]
    await bench.run(orders("a"))
    assert bench.database.state.saved == ["a"]
    assert len(bench.database.state.outbox) == 1
    assert bench.loop.fenced.is_set()


async def test_a_batch_that_was_saved_after_all_is_not_handled_again_by_whoever_retakes(
    bench: Bench,
) -> None:
    """The partitions are taken again, past the batch in hand, while it backs off."""

    def lost() -> Exception:
        taken(bench.database, TWIN, epoch=2)
        bench.database.state.progress[HERE] = (1, 2)
        bench.loop.own({HERE: Position(1, 2), TWIN: Position(0, 2)})
        return ConnectionResetError()

    bench.database.after_commit = [lost]
    await bench.run(orders("a"))
    assert bench.database.state.saved == ["a"]


async def test_a_batch_whose_partitions_are_lost_while_it_backs_off_is_left(bench: Bench) -> None:
    def lost() -> Exception:
        bench.loop.own({})
        return ConnectionResetError()

    bench.database.on_commit = [lost]
    await bench.run(orders("a"))
    assert bench.database.state.saved == []
    assert bench.database.state.outbox == {}


async def test_the_next_batch_is_decided_while_the_one_before_is_published(bench: Bench) -> None:
    bench.wire.open.clear()
    await bench.loop.on_batch(orders("a"))
    second = asyncio.create_task(bench.loop.on_batch(orders("b", first=1)))
    while bench.next_offset < 2:
        await asyncio.sleep(0)
    assert bench.wire.published == []
    bench.wire.open.set()
    await second
    await bench.loop.published()
    assert bench.wire.told("out") == ["a", "b"]


async def test_what_cannot_be_published_holds_back_all_that_comes_after(bench: Bench) -> None:
    """The outbox keeps both, and the next start publishes them in order."""
    bench.wire.open.clear()
    bench.wire.fails = [ValueError("a mistake of ours")]
    await bench.loop.on_batch(orders("a"))
    second = asyncio.create_task(bench.loop.on_batch(orders("b", first=1)))
    while bench.next_offset < 2:
        await asyncio.sleep(0)
    bench.wire.open.set()
    await second
    await bench.loop.published()
    await bench.run(orders("c", first=2))
    assert bench.wire.published == []
    assert len(bench.database.state.outbox) == 2
    assert isinstance(bench.loop.failed.exception(), ValueError)


async def test_an_outbox_that_cannot_be_emptied_now_is_emptied_later(bench: Bench) -> None:
    bench.database.on_commit = [lambda: None, ConnectionResetError, ConnectionResetError]
    await bench.run(orders("a"))
    assert bench.wire.told("out") == ["a"]
    assert bench.database.state.outbox == {}


async def test_giving_up_partitions_waits_for_the_batch_in_hand_and_says_where_it_stood(
    bench: Bench,
) -> None:
    bench.wire.open.clear()
    running = asyncio.create_task(bench.loop.on_batch(orders("a", "b")))
    leaving = asyncio.create_task(bench.loop.disown())
    await running
    assert not leaving.done()
    bench.wire.open.set()
    assert (await leaving)[HERE].next_offset == 2
    assert bench.wire.told("out") == ["a", "b"]
    assert bench.loop.owned == {}


async def test_a_timer_is_stored_with_the_state_and_published_once_when_due(bench: Bench) -> None:
    await bench.run(orders("timer"))
    assert list(bench.database.state.timers) == [TIMER.id]
    for _ in range(2):
        await bench.loop.fire_timers()
        await bench.loop.published()
    assert bench.wire.told("orders.reviews") == ["due"]
    assert bench.database.state.timers == {}


async def test_a_timer_that_is_cancelled_is_never_published(bench: Bench) -> None:
    await bench.run(orders("timer", "a"))
    await bench.run(orders("no timer", first=2))
    await bench.loop.fire_timers()
    assert bench.wire.told("orders.reviews") == []


async def test_a_worker_that_has_no_partition_fires_no_timer(bench: Bench) -> None:
    await bench.run(orders("timer"))
    await bench.loop.disown()
    await bench.loop.fire_timers()
    assert list(bench.database.state.timers) == [TIMER.id]


async def test_a_timer_whose_commit_was_lost_sight_of_makes_the_worker_take_again(
    bench: Bench,
) -> None:
    """It may be in the outbox already; taking the partitions again publishes what is there."""
    await bench.run(orders("timer"))
    bench.database.after_commit = [ConnectionResetError]
    with pytest.raises(ConnectionResetError):
        await bench.loop.fire_timers()
    assert len(bench.database.state.outbox) == 1
    assert bench.loop.fenced.is_set()
