"""What becomes of each record of a batch, the good, the bad and the unlucky."""

from collections.abc import MutableMapping
from typing import Any

import asyncpg
import pytest
from aiokafka import TopicPartition

from runtime.loop.attempts import ATTEMPTS, UNEXPLAINED
from schemas.topics import ORDERS_REQUESTS
from tests.unit.runtime.bench import ANNA, HERE, HOME, Bench, orders, raising
from tests.unit.runtime.memory_store import taken


async def test_a_batch_is_saved_published_and_dropped_from_the_outbox(bench: Bench) -> None:
    await bench.run(orders("a", "b"))
    assert bench.saved == bench.wire.values("out") == ["a", "b"]
    assert bench.store.state.outbox == {}
    assert bench.next_offset == bench.loop.assigned[HERE].next_offset == 2


async def test_records_that_were_handled_before_are_skipped(bench: Bench) -> None:
    await bench.run(orders("a", "b"))
    await bench.run(orders("a", "b", "c"))
    assert bench.handler.handled == ["a", "b", "c"]


async def test_offsets_may_have_gaps(bench: Bench) -> None:
    """Compaction and a producer's transactions leave offsets out."""
    await bench.run([*orders("a", first=3), *orders("b", first=9)])
    assert bench.next_offset == 10


async def test_records_of_a_partition_that_was_not_taken_are_left_alone(bench: Bench) -> None:
    bench.loop.assign({})
    await bench.run(orders("a"))
    assert bench.handler.handled == []
    assert bench.wire.published == []


async def test_a_record_on_another_partition_than_its_keys_is_sent_home_as_it_is(
    bench: Bench,
) -> None:
    away = TopicPartition(ORDERS_REQUESTS.name, (HOME + 1) % ORDERS_REQUESTS.partitions)
    bench.loop.assign(taken(bench.store, away))
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
    assert bench.wire.values("out") == ["a", "c"]
    assert bench.buried == ["bad_json"]
    assert bench.dead_letters("bad_json") == 1
    assert bench.next_offset == 3


async def test_a_rejected_record_is_buried_with_the_services_own_reason(bench: Bench) -> None:
    await bench.run(orders("a", "reject", "b"))
    assert bench.buried == ["not_wanted"]
    assert bench.wire.values("out") == ["a", "b"]


async def test_a_record_that_the_handler_raises_on_is_buried_after_bounded_attempts(
    bench: Bench,
) -> None:
    await bench.run(orders("a", "raise", "b"))
    assert bench.handler.handled.count("raise") == ATTEMPTS
    assert bench.buried == ["handler_failed"]
    assert bench.saved == bench.wire.values("out") == ["a", "b"]
    assert bench.next_offset == 3


async def test_several_that_the_handler_raises_on_are_each_buried(bench: Bench) -> None:
    await bench.run(orders("raise", "a", "raise", "raise", "b"))
    assert bench.buried == ["handler_failed"] * 3
    assert bench.wire.values("out") == ["a", "b"]


@pytest.mark.parametrize("what", ["unsavable", "unloadable"])
async def test_one_record_of_many_that_cannot_be_saved_is_found_and_buried(
    bench: Bench, what: str
) -> None:
    await bench.run(orders("a", what, "b", "c"))
    assert bench.buried == ["save_failed"]
    assert bench.saved == bench.wire.values("out") == ["a", "b", "c"]
    assert bench.next_offset == 4


async def test_neither_a_letter_nor_a_log_line_quotes_what_the_error_said(
    bench: Bench, lines: list[MutableMapping[str, Any]]
) -> None:
    await bench.run(orders("raise", "unsavable"))
    texts = [v for line in lines for v in line.values() if isinstance(v, str)]
    texts += [str(r.headers) for r in bench.wire.published]
    assert len(texts) > 5
    assert [text for text in texts if ANNA in text] == []


AWAY = [ConnectionResetError(), asyncpg.DeadlockDetectedError(), TimeoutError()]


async def test_an_outage_of_the_database_is_waited_for_and_buries_nothing(bench: Bench) -> None:
    """However long it lasts: a trial save fails as well, so no record is to blame."""
    bench.store.on_commit = [*map(raising, AWAY * UNEXPLAINED)]
    await bench.run(orders("a"))
    assert bench.handler.handled.count("a") > UNEXPLAINED
    assert not bench.store.on_commit
    assert not bench.buried
    assert bench.saved == bench.wire.values("out") == ["a"]


async def test_an_outage_in_the_middle_of_suspicion_clears_the_record(bench: Bench) -> None:
    """Given nearly enough failures with a working database; when that fails too; then all begins again."""
    suspicious = [raising(ConnectionResetError()), lambda: None]
    begin = [raising(TimeoutError())] * ATTEMPTS
    nearly = begin + suspicious * (UNEXPLAINED - 1)
    bench.store.on_commit = [*nearly, *map(raising, AWAY[:2]), *nearly[ATTEMPTS:]]
    await bench.run(orders("a"))
    assert not bench.store.on_commit
    assert not bench.buried
    assert bench.saved == ["a"]


@pytest.mark.parametrize("what", ["unreachable", "outdated"])
async def test_a_record_that_alone_meets_a_transient_failure_is_buried(
    bench: Bench, what: str
) -> None:
    """Given a database that works, and code of the service that says otherwise of one record; then that
    record does not hold up its partition for ever."""
    await bench.run(orders("a", what, "b"))
    assert bench.buried == ["save_failed"]
    assert bench.saved == bench.wire.values("out") == ["a", "b"]
    assert bench.next_offset == 3


async def test_a_lasting_failure_while_the_database_saves_nothing_blames_no_record(
    bench: Bench,
) -> None:
    """As when the service's role may not log in for a while."""
    refused = asyncpg.InsufficientPrivilegeError()
    bench.store.on_commit = [raising(refused)] * 5 * UNEXPLAINED
    await bench.run(orders("a", "b"))
    assert not bench.store.on_commit
    assert not bench.buried
    assert bench.saved == bench.wire.values("out") == ["a", "b"]


async def test_a_lock_that_another_holds_blames_no_record(bench: Bench) -> None:
    """Given a lock on what one record needs, for long; then it is waited for, though all else can be saved."""
    bench.handler.locked = 5 * UNEXPLAINED
    await bench.run(orders("a", "locked", "b"))
    assert bench.handler.locked == 0
    assert bench.buried == []
    assert bench.saved == bench.wire.values("out") == ["a", "locked", "b"]


async def test_a_service_whose_save_says_that_a_server_is_away_is_not_believed(
    bench: Bench,
) -> None:
    """It touches no server, so the record is at fault, after as many attempts as for any other error."""
    await bench.run(orders("a", "no file", "b"))
    assert bench.handler.handled.count("no file") == 2 * ATTEMPTS
    assert bench.buried == ["save_failed"]
    assert bench.saved == ["a", "b"]


async def test_failures_that_pass_do_not_count_as_attempts_on_a_record(bench: Bench) -> None:
    """A handler that raises is tried as often with the database away in between."""
    bench.store.on_commit = [ConnectionResetError] * 5
    await bench.run(orders("a"))
    await bench.run(orders("raise", first=1))
    assert bench.handler.handled.count("raise") == ATTEMPTS
