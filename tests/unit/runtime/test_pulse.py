"""A loop gives signs of life, and its waiting for a database is none of its silence."""

import asyncio

from runtime.loop.pulse import EXCUSED_S, Pulse
from tests.unit.runtime.bench import Bench, orders, raising


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def watched(bench: Bench) -> Clock:
    """The clock by which a bench's loop now gives its signs of life."""
    clock = Clock()
    bench.loop.pulse = Pulse(clock)
    return clock


async def test_a_batch_that_waits_for_its_database_is_not_silent(bench: Bench) -> None:
    clock = watched(bench)
    bench.store.commit_s = 0.1
    running = asyncio.create_task(bench.loop.on_batch(orders("a")))
    await asyncio.sleep(0.05)
    clock.now_s += EXCUSED_S - 1
    assert not running.done()
    assert bench.loop.pulse.silent_s == 0
    clock.now_s += 41
    assert bench.loop.pulse.silent_s == 40
    await running
    assert bench.loop.pulse.silent_s == 0


async def test_a_batch_that_fails_for_want_of_a_connection_is_a_sign_of_life(bench: Bench) -> None:
    clock = watched(bench)
    bench.store.on_commit = [raising(TimeoutError())]
    clock.now_s += 29
    await bench.run(orders("a"))
    assert bench.loop.pulse.silent_s == 0
    assert bench.next_offset == 1


async def test_a_loop_that_is_given_nothing_falls_silent(bench: Bench) -> None:
    clock = watched(bench)
    await bench.run(orders("a"))
    clock.now_s += 31
    assert bench.loop.pulse.silent_s == 31
