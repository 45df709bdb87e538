"""The steps of a run: overviews read, orders placed, outputs waited for."""

import asyncio
import time
from collections.abc import Sequence

from bench.cpu import Meter, others_share, per_order_us
from bench.data.records import Given
from bench.engines.engine import Engine, Place
from bench.errors import BenchError
from bench.kafka import committed, ends, fill
from bench.process import Processes
from schemas import topics

ORDERS = topics.ORDERS_REQUESTS.name
OVERVIEWS = topics.MEDICATION_STATUS.name
EVENTS = topics.ORDERS_EVENTS.name

LOOK_S = 0.25
STALL_S = 45.0
"""An engine that gets nothing further for so long, before it is done, has failed."""


async def load(engine: Engine, place: Place) -> float:
    """Let the engine read all overviews, and stop it; seconds that it took."""
    group = engine.reads_overviews(place)
    if group is None:
        return 0.0
    async with Processes(engine.programs(place, "load")) as running:
        await caught_up(place, running, [group], [OVERVIEWS])
        return time.time() - running.started_s


async def caught_up(
    place: Place, running: Processes, groups: Sequence[str], inputs: Sequence[str]
) -> None:
    """Wait until these groups say that they have read these topics to where they end now."""
    wanted = await ends(place.stack.kafka, inputs)
    stood, changed_s = -1, time.monotonic()
    while True:
        running.require_running()
        stands = [await committed(place.stack.kafka, group) for group in groups]
        behind = [sum(max(0, end - at.get(tp, 0)) for tp, end in wanted.items()) for at in stands]
        if not any(behind):
            return
        if sum(behind) != stood:
            stood, changed_s = sum(behind), time.monotonic()
        if time.monotonic() - changed_s > STALL_S:
            raise BenchError(f"{', '.join(groups)} stand still, {behind} records behind.")
        await asyncio.sleep(LOOK_S)


async def place_orders(place: Place, given: Sequence[Given]) -> tuple[int, int]:
    """Write the orders; when they were appended, in ms: not before, not after."""
    began_ms = int(time.time() * 1000)
    await fill(place.stack.kafka, ORDERS, given)
    return began_ms, int(time.time() * 1000) + 1


async def until_complete(
    place: Place, running: Processes, end: int
) -> tuple[dict[str, float], float]:
    """Wait until the outputs have reached this end: processor time an order, what others took of it.

    From the first outputs on, so that starting does not count; none when most had come by then.
    """
    meter = Meter(place.stack, running.pids)
    began = sum((await ends(place.stack.kafka, [EVENTS])).values())
    first = await _written(place, running, began + 1)
    before = meter.read()
    await _written(place, running, end)
    after = meter.read()
    await _settled(place, running)
    seen = end - first
    cpu_us = per_order_us(before, after, seen) if seen > (end - began) / 2 else {}
    return cpu_us, others_share(before, after)


async def _written(place: Place, running: Processes, least: int) -> int:
    """Wait for this many outputs; how many there are. Asks Kafka for nothing but where topics end."""
    written, changed_s = 0, time.monotonic()
    while True:
        running.require_running()
        now = sum((await ends(place.stack.kafka, [EVENTS])).values())
        if now >= least:
            return now
        if now != written:
            written, changed_s = now, time.monotonic()
        if time.monotonic() - changed_s > STALL_S:
            raise BenchError(f"Only {written} of {least} outputs came; see {place.folder}.")
        await asyncio.sleep(LOOK_S)


async def _settled(place: Place, running: Processes) -> None:
    """Wait until no more outputs come."""
    written = await _written(place, running, 1)
    while True:
        await asyncio.sleep(place.settled_s)
        now = await _written(place, running, 1)
        if now == written:
            return
        written = now
