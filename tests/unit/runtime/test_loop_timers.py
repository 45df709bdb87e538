"""Timers in the loop: saved with a batch, published once when due."""

import asyncio

import pytest

from tests.unit.runtime.bench import TIMER, Bench, orders


async def test_a_timer_is_saved_with_its_batch_and_published_once_when_due(bench: Bench) -> None:
    await bench.run(orders("timer"))
    assert list(bench.store.state.timers) == [TIMER.id]
    for _ in range(2):
        await bench.loop.fire_timers()
        await bench.loop.flush()
    assert bench.wire.values("orders.reviews") == ["due"]
    assert bench.store.state.timers == {}


async def test_a_cancelled_timer_is_never_published(bench: Bench) -> None:
    await bench.run(orders("timer", "a"))
    await bench.run(orders("no timer", first=2))
    assert bench.store.state.timers == {}
    await bench.loop.fire_timers()
    await bench.loop.flush()
    assert bench.wire.values("orders.reviews") == []


async def test_a_worker_without_partitions_fires_no_timer(bench: Bench) -> None:
    await bench.run(orders("timer"))
    await bench.loop.release()
    await bench.loop.fire_timers()
    assert list(bench.store.state.timers) == [TIMER.id]


async def test_a_check_for_due_timers_does_not_wait_for_the_current_batch(bench: Bench) -> None:
    """Given a running batch and no due timer; then the check ends first."""
    bench.store.commit_s = 0.2
    running = asyncio.create_task(bench.loop.on_batch(orders("a")))
    await asyncio.sleep(0.05)
    await bench.loop.fire_timers()
    assert not running.done()
    await running


async def test_a_timer_commit_without_an_answer_makes_the_worker_acquire_again(
    bench: Bench,
) -> None:
    """Its record may be in the outbox; acquiring the partitions publishes the outbox."""
    await bench.run(orders("timer"))
    bench.store.after_commit = [ConnectionResetError]
    with pytest.raises(ConnectionResetError):
        await bench.loop.fire_timers()
    assert len(bench.store.state.outbox) == 1
    assert bench.loop.fenced.is_set()
