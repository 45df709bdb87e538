"""Fencing and release of partitions in the loop."""

import asyncio

from runtime.loop.outbox_relay import DROP_AFTER_S
from runtime.messages.positions import Position
from tests.unit.runtime.bench import HERE, TWIN, Bench, orders
from tests.unit.runtime.memory_store import acquired


async def test_a_save_with_an_older_epoch_is_fenced_and_clears_the_assignment(bench: Bench) -> None:
    acquired(bench.store, HERE, epoch=2)
    await bench.run(orders("a"))
    assert bench.saved == []
    assert bench.wire.published == []
    assert bench.loop.assigned == {}
    assert bench.loop.fenced.is_set()


async def test_a_newer_epoch_of_another_topic_with_the_same_partition_number_fences_too(
    bench: Bench,
) -> None:
    """One worker must handle a patient's records of all topics, or two would change the same state."""
    acquired(bench.store, TWIN, epoch=2)
    await bench.run(orders("a"))
    assert bench.saved == []
    assert bench.loop.fenced.is_set()


async def test_a_fenced_worker_continues_after_acquiring_again(bench: Bench) -> None:
    acquired(bench.store, HERE, TWIN, epoch=2)
    await bench.run(orders("a"))
    bench.loop.assign({HERE: Position(0, 2), TWIN: Position(0, 2)})
    assert not bench.loop.fenced.is_set()
    await bench.run(orders("a"))
    assert bench.saved == ["a"]


async def test_a_commit_without_an_answer_is_not_repeated(bench: Bench) -> None:
    bench.store.after_commit = [ConnectionResetError]
    await bench.run(orders("a"))
    assert bench.saved == ["a"]
    assert len(bench.store.state.outbox) == 1
    assert bench.loop.fenced.is_set()


async def test_a_batch_that_was_saved_without_an_answer_is_not_handled_again_after_acquiring(
    bench: Bench,
) -> None:
    """The partitions are acquired again, after that batch, during its back-off."""

    def lost() -> Exception:
        acquired(bench.store, TWIN, epoch=2)
        bench.store.state.progress[HERE] = Position(1, 2)
        bench.loop.assign({HERE: Position(1, 2), TWIN: Position(0, 2)})
        return ConnectionResetError()

    bench.store.after_commit = [lost]
    await bench.run(orders("a"))
    assert bench.saved == ["a"]


async def test_a_batch_whose_partitions_are_revoked_during_its_back_off_is_not_saved(
    bench: Bench,
) -> None:
    def lost() -> Exception:
        bench.loop.assign({})
        return ConnectionResetError()

    bench.store.on_commit = [lost]
    await bench.run(orders("a"))
    assert bench.saved == []
    assert bench.store.state.outbox == {}


async def test_release_waits_for_the_current_batch_and_returns_its_position(
    bench: Bench,
) -> None:
    bench.wire.open.clear()
    running = asyncio.create_task(bench.loop.on_batch(orders("a", "b")))
    leaving = asyncio.create_task(bench.loop.release())
    await running
    assert not leaving.done()
    bench.wire.open.set()
    assert (await leaving)[HERE].next_offset == 2
    assert bench.wire.values("out") == ["a", "b"]
    assert bench.loop.assigned == {}


async def test_release_drops_published_rows(bench: Bench) -> None:
    await bench.loop.on_batch(orders("a"))
    await bench.until_published(1)
    await bench.loop.release()
    assert bench.store.state.outbox == {}


async def test_release_waits_for_a_drop_in_progress(bench: Bench) -> None:
    bench.store.commit_s = DROP_AFTER_S
    await bench.loop.on_batch(orders("a"))
    await bench.until_published(1)
    await asyncio.sleep(1.5 * DROP_AFTER_S)
    assert len(bench.store.state.outbox) == 1
    await bench.loop.release()
    assert bench.store.state.outbox == {}
