"""A loop shows signs of life, and waiting for a database does not count as silence."""

import asyncio

from runtime.loop.liveness import MAX_SUSPENDED_S, Liveness
from tests.unit.runtime.bench import Bench, orders, raising


class Clock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def use_clock(bench: Bench) -> Clock:
    """Give the bench's loop a new clock for its signs of life."""
    clock = Clock()
    bench.loop.liveness = Liveness(clock)
    return clock


async def test_a_batch_that_waits_for_the_database_is_not_silent(bench: Bench) -> None:
    clock = use_clock(bench)
    bench.store.commit_s = 0.1
    running = asyncio.create_task(bench.loop.on_batch(orders("a")))
    await asyncio.sleep(0.05)
    clock.now_s += MAX_SUSPENDED_S - 1
    assert not running.done()
    assert bench.loop.liveness.silent_s == 0
    clock.now_s += 41
    assert bench.loop.liveness.silent_s == 40
    await running
    assert bench.loop.liveness.silent_s == 0


async def test_a_failed_batch_is_a_sign_of_life(bench: Bench) -> None:
    clock = use_clock(bench)
    bench.store.on_commit = [raising(TimeoutError())]
    clock.now_s += 29
    await bench.run(orders("a"))
    assert bench.loop.liveness.silent_s == 0
    assert bench.next_offset == 1


async def test_a_loop_without_records_is_silent(bench: Bench) -> None:
    clock = use_clock(bench)
    await bench.run(orders("a"))
    clock.now_s += 31
    assert bench.loop.liveness.silent_s == 31
