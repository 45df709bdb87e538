"""The steps of a run: load overviews, place orders, wait for outputs."""

import asyncio
import time
from collections.abc import Sequence

from bench.cpu import Meter, others_share, per_order_us
from bench.data.records import InputRecord
from bench.engines.engine import Engine, RunContext
from bench.errors import BenchError
from bench.kafka import committed, ends, fill
from bench.process import Processes
from schemas import topics

ORDERS = topics.ORDERS_REQUESTS.name
OVERVIEWS = topics.MEDICATION_STATUS.name
EVENTS = topics.ORDERS_EVENTS.name

POLL_S = 0.25
STALL_S = 45.0
"""Seconds without progress after which an engine has failed."""


async def load(engine: Engine, context: RunContext) -> float:
    """Let the engine read all overviews, and stop it. Return the seconds that it took."""
    group = engine.reads_overviews(context)
    if group is None:
        return 0.0
    async with Processes(engine.programs(context, "load")) as running:
        await wait_until_caught_up(context, running, [group], [OVERVIEWS])
        return time.time() - running.started_s


async def wait_until_caught_up(
    context: RunContext, running: Processes, groups: Sequence[str], inputs: Sequence[str]
) -> None:
    """Wait until these groups have committed up to the current end of these topics."""
    wanted = await ends(context.stack.kafka, inputs)
    last, changed_s = -1, time.monotonic()
    while True:
        running.require_running()
        offsets = [await committed(context.stack.kafka, group) for group in groups]
        behind = [sum(max(0, end - at.get(tp, 0)) for tp, end in wanted.items()) for at in offsets]
        if not any(behind):
            return
        if sum(behind) != last:
            last, changed_s = sum(behind), time.monotonic()
        if time.monotonic() - changed_s > STALL_S:
            raise BenchError(f"{', '.join(groups)} have stalled, {behind} records behind.")
        await asyncio.sleep(POLL_S)


async def place_orders(context: RunContext, given: Sequence[InputRecord]) -> tuple[int, int]:
    """Write the orders; return bounds of their append times, in ms."""
    began_ms = int(time.time() * 1000)
    await fill(context.stack.kafka, ORDERS, given)
    return began_ms, int(time.time() * 1000) + 1


async def wait_until_complete(
    context: RunContext, running: Processes, end: int
) -> tuple[dict[str, float], float]:
    """Wait until the outputs have reached this end. Return CPU time per order, and the share of others.

    Measured from the first outputs on, without the start; empty when most outputs had come by then.
    """
    meter = Meter(context.stack, running.pids)
    began = sum((await ends(context.stack.kafka, [EVENTS])).values())
    first = await _wait_for_outputs(context, running, began + 1)
    before = meter.read()
    await _wait_for_outputs(context, running, end)
    after = meter.read()
    await _wait_until_settled(context, running)
    measured = end - first
    cpu_us = per_order_us(before, after, measured) if measured > (end - began) / 2 else {}
    return cpu_us, others_share(before, after)


async def _wait_for_outputs(context: RunContext, running: Processes, least: int) -> int:
    """Wait for this many outputs; return their number. Only reads end offsets, to spare Kafka."""
    written, changed_s = 0, time.monotonic()
    while True:
        running.require_running()
        now = sum((await ends(context.stack.kafka, [EVENTS])).values())
        if now >= least:
            return now
        if now != written:
            written, changed_s = now, time.monotonic()
        if time.monotonic() - changed_s > STALL_S:
            raise BenchError(f"Only {written} of {least} outputs came; see {context.folder}.")
        await asyncio.sleep(POLL_S)


async def _wait_until_settled(context: RunContext, running: Processes) -> None:
    """Wait until no more outputs come."""
    written = await _wait_for_outputs(context, running, 1)
    while True:
        await asyncio.sleep(context.settled_s)
        now = await _wait_for_outputs(context, running, 1)
        if now == written:
            return
        written = now
