"""How the loop handles the records of a batch, and which become dead letters."""

from collections.abc import MutableMapping
from typing import Any

import asyncpg
import pytest
from aiokafka import TopicPartition

from runtime.loop.attempts import MAX_ATTEMPTS, MAX_UNEXPLAINED
from runtime.messages.message import Outgoing
from schemas.topics import ORDERS_REQUESTS
from tests.harness.records import Delivered
from tests.unit.runtime.bench import ANNA, HERE, HOME, Bench, a_bench, orders, raising
from tests.unit.runtime.memory_store import acquired


async def test_a_batch_is_saved_published_and_dropped_from_the_outbox(bench: Bench) -> None:
    await bench.run(orders("a", "b"))
    assert bench.saved == bench.wire.values("out") == ["a", "b"]
    assert bench.store.state.outbox == {}
    assert bench.next_offset == bench.loop.assigned[HERE].next_offset == 2


async def test_records_before_the_stored_offset_are_skipped(bench: Bench) -> None:
    await bench.run(orders("a", "b"))
    await bench.run(orders("a", "b", "c"))
    assert bench.handler.handled == ["a", "b", "c"]


async def test_offsets_may_have_gaps(bench: Bench) -> None:
    """Compaction and transaction markers cause gaps."""
    await bench.run([*orders("a", first=3), *orders("b", first=9)])
    assert bench.next_offset == 10


async def test_records_of_unassigned_partitions_are_not_handled(bench: Bench) -> None:
    bench.loop.assign({})
    await bench.run(orders("a"))
    assert bench.handler.handled == []
    assert bench.wire.published == []


async def handled_misplaced(bench: Bench) -> tuple[Delivered, Outgoing]:
    """Handle a record on another partition than that of its key; return it and the only published record."""
    other = TopicPartition(ORDERS_REQUESTS.name, (HOME + 1) % ORDERS_REQUESTS.partitions)
    bench.loop.assign(acquired(bench.store, other))
    (record,) = orders("a")
    record.partition = other.partition
    await bench.run([record])
    (published,) = bench.wire.published
    return record, published


async def test_a_misplaced_record_is_republished_unchanged(
    bench: Bench,
) -> None:
    record, moved = await handled_misplaced(bench)
    assert (moved.topic, moved.key, moved.value) == (record.topic, record.key, record.value)
    assert list(moved.headers) == list(record.headers)
    assert bench.handler.handled == []


async def test_a_misplaced_record_on_a_topic_that_the_service_may_not_write_becomes_a_dead_letter() -> (
    None
):
    """Given a service that reads a topic and may not write it; then it moves nothing there."""
    _, letter = await handled_misplaced(a_bench("metrics"))
    assert letter.topic == "metrics.dead-letters"
    assert dict(letter.headers)["dl_reason"] == b"wrong_partition"


async def test_an_unreadable_record_becomes_a_dead_letter_and_the_others_are_handled(
    bench: Bench,
) -> None:
    before, bad, after = orders("a", "b", "c")
    bad.value = b"{"
    await bench.run([before, bad, after])
    assert bench.wire.values("out") == ["a", "c"]
    assert bench.dead_lettered == ["bad_json"]
    assert bench.dead_letters("bad_json") == 1
    assert bench.next_offset == 3


async def test_a_rejected_record_becomes_a_dead_letter_with_the_services_reason(
    bench: Bench,
) -> None:
    await bench.run(orders("a", "reject", "b"))
    assert bench.dead_lettered == ["not_wanted"]
    assert bench.wire.values("out") == ["a", "b"]


async def test_a_record_on_which_the_handler_raises_becomes_a_dead_letter_after_some_attempts(
    bench: Bench,
) -> None:
    await bench.run(orders("a", "raise", "b"))
    assert bench.handler.handled.count("raise") == MAX_ATTEMPTS
    assert bench.dead_lettered == ["handler_failed"]
    assert bench.saved == bench.wire.values("out") == ["a", "b"]
    assert bench.next_offset == 3


async def test_each_record_on_which_the_handler_raises_becomes_a_dead_letter(bench: Bench) -> None:
    await bench.run(orders("raise", "a", "raise", "raise", "b"))
    assert bench.dead_lettered == ["handler_failed"] * 3
    assert bench.wire.values("out") == ["a", "b"]


@pytest.mark.parametrize("what", ["unsavable", "unloadable"])
async def test_the_one_record_of_a_batch_that_cannot_be_saved_becomes_a_dead_letter(
    bench: Bench, what: str
) -> None:
    await bench.run(orders("a", what, "b", "c"))
    assert bench.dead_lettered == ["save_failed"]
    assert bench.saved == bench.wire.values("out") == ["a", "b", "c"]
    assert bench.next_offset == 4


async def test_no_dead_letter_and_no_log_line_quotes_an_error_message(
    bench: Bench, lines: list[MutableMapping[str, Any]]
) -> None:
    await bench.run(orders("raise", "unsavable"))
    texts = [v for line in lines for v in line.values() if isinstance(v, str)]
    texts += [str(r.headers) for r in bench.wire.published]
    assert len(texts) > 5
    assert [text for text in texts if ANNA in text] == []


OUTAGE = [ConnectionResetError(), asyncpg.DeadlockDetectedError(), TimeoutError()]


async def test_a_batch_is_retried_during_a_database_outage_without_dead_letters(
    bench: Bench,
) -> None:
    """For any time: trial saves fail too, so no record is blamed."""
    bench.store.on_commit = [*map(raising, OUTAGE * MAX_UNEXPLAINED)]
    await bench.run(orders("a"))
    assert bench.handler.handled.count("a") > MAX_UNEXPLAINED
    assert not bench.store.on_commit
    assert not bench.dead_lettered
    assert bench.saved == bench.wire.values("out") == ["a"]


async def test_an_outage_restarts_the_count_of_a_records_failures(bench: Bench) -> None:
    """Given nearly exhausted attempts; when a trial save fails; then counting restarts."""
    with_trial = [raising(ConnectionResetError()), lambda: None]
    begin = [raising(TimeoutError())] * MAX_ATTEMPTS
    nearly = begin + with_trial * (MAX_UNEXPLAINED - 1)
    bench.store.on_commit = [*nearly, *map(raising, OUTAGE[:2]), *nearly[MAX_ATTEMPTS:]]
    await bench.run(orders("a"))
    assert not bench.store.on_commit
    assert not bench.dead_lettered
    assert bench.saved == ["a"]


@pytest.mark.parametrize("what", ["unreachable", "outdated"])
async def test_a_record_that_alone_causes_a_transient_error_becomes_a_dead_letter(
    bench: Bench, what: str
) -> None:
    """Given a working database, and a transient error for one record; then it does not block its partition."""
    await bench.run(orders("a", what, "b"))
    assert bench.dead_lettered == ["save_failed"]
    assert bench.saved == bench.wire.values("out") == ["a", "b"]
    assert bench.next_offset == 3


async def test_a_permanent_error_while_trial_saves_fail_blames_no_record(
    bench: Bench,
) -> None:
    """For example while somebody has renamed a table."""
    refused = asyncpg.UndefinedTableError()
    bench.store.on_commit = [raising(refused)] * 5 * MAX_UNEXPLAINED
    await bench.run(orders("a", "b"))
    assert not bench.store.on_commit
    assert not bench.dead_lettered
    assert bench.saved == bench.wire.values("out") == ["a", "b"]


async def test_a_lock_of_another_session_blames_no_record(bench: Bench) -> None:
    """Given a long lock on a row that one record needs; then the record is retried until it is saved."""
    bench.handler.locked = 5 * MAX_UNEXPLAINED
    await bench.run(orders("a", "locked", "b"))
    assert bench.handler.locked == 0
    assert bench.dead_lettered == []
    assert bench.saved == bench.wire.values("out") == ["a", "locked", "b"]


async def test_a_transient_error_of_the_services_save_blames_the_record(
    bench: Bench,
) -> None:
    """`save` does no I/O, so the error counts as permanent."""
    await bench.run(orders("a", "no file", "b"))
    assert bench.handler.handled.count("no file") == 2 * MAX_ATTEMPTS
    assert bench.dead_lettered == ["save_failed"]
    assert bench.saved == ["a", "b"]


async def test_transient_errors_do_not_count_as_attempts_of_a_record(bench: Bench) -> None:
    """Given transient errors before; then a handler that raises gets all its attempts."""
    bench.store.on_commit = [ConnectionResetError] * 5
    await bench.run(orders("a"))
    await bench.run(orders("raise", first=1))
    assert bench.handler.handled.count("raise") == MAX_ATTEMPTS
