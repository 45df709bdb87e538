"""Runs the full-output job: all four services, with all outputs of an order.

These are events, prescriptions on the pharmacies' topics, messages and promises, rows in inboxes, counts. An
order is done when its last output record is on Kafka, the run when metrics has also counted all orders.
"""

import asyncio
import time
from dataclasses import dataclass

from bench import store
from bench.arena import Arena
from bench.cpu import Meter, others_share, per_order_us
from bench.data.region import write_for_peers
from bench.engines.engine import RunContext
from bench.errors import BenchError
from bench.judge import WARM_UP, rate
from bench.kafka import ends, fill, read
from bench.process import Processes
from bench.services import services, wait_until_services_ready
from bench.steps import OVERVIEWS, POLL_S, STALL_S, place_orders, wait_until_caught_up
from bench.whole_job import WholeJob, done_ms
from schemas import topics

_READ_OVERVIEWS = ("ordering", "medication")
_DEAD = tuple(topics.dead_letters(service).name for service in topics.SERVICES)

_COUNT_EVERY_S = 0.05
"""Seconds between two reads of the count; the delay is part of the measured time."""


@dataclass(frozen=True)
class WholeRun:
    """The result of a complete run. `duplicates` counts records beyond the first of each."""

    orders: int
    per_s: float
    records: int
    duplicates: int
    cpu_us: dict[str, float]
    others: float


async def start_context(arena: Arena, job: WholeJob) -> RunContext:
    """Reset the servers, let the services read the region and all overviews, and stop them."""
    folder = await arena.reset(job.region)
    region = write_for_peers(job.region, folder / "region.json")
    context = RunContext(arena.stack, folder, "all", region, arena.timed)
    await fill(arena.stack.kafka, OVERVIEWS, job.population.records())
    async with Processes(services(context)) as loading:
        await wait_until_services_ready(context, loading)
        await wait_until_caught_up(context, loading, _READ_OVERVIEWS, [OVERVIEWS])
    return context


async def run_whole_job(arena: Arena, job: WholeJob) -> WholeRun:
    """Run the job. Raises BenchError when an output is missing, wrong or unexpected."""
    context = await start_context(arena, job)
    await place_orders(context, job.orders)
    async with Processes(services(context)) as running:
        meter = Meter(context.stack, running.pids)
        before = meter.read()
        counted_ms = await wait_until_counted(context, running, job)
        await _wait_until_published(context, running, job)
        after = meter.read()
    outputs = read(context.stack.kafka, [*job.topics, *_DEAD])
    done, records = await asyncio.to_thread(done_ms, outputs, job)
    await _require_rows(context, job)
    stamps = sorted(done.values())
    stamps[-1] = max(stamps[-1], counted_ms)
    return WholeRun(
        orders=len(job.orders),
        per_s=rate(stamps, WARM_UP),
        records=records,
        duplicates=records - len(job.expected),
        cpu_us=per_order_us(before, after, len(job.orders)),
        others=others_share(before, after),
    )


async def wait_until_counted(context: RunContext, running: Processes, job: WholeJob) -> int:
    """Wait until metrics has counted every order; return the time, in ms."""
    async with store.database(context.stack.databases["metrics"]) as db:
        counted, changed_s = -1, time.monotonic()
        while True:
            running.require_running()
            now = await store.count_metrics_orders(db)
            if now >= len(job.orders):
                return int(time.time() * 1000)
            if now != counted:
                counted, changed_s = now, time.monotonic()
            if time.monotonic() - changed_s > STALL_S:
                raise BenchError(f"metrics has counted {counted} of {len(job.orders)} orders.")
            await asyncio.sleep(_COUNT_EVERY_S)


async def _wait_until_published(context: RunContext, running: Processes, job: WholeJob) -> None:
    """Wait until all expected records are published, or no more come."""
    wanted = job.topics
    written, changed_s = -1, time.monotonic()
    while True:
        running.require_running()
        now = sum((await ends(context.stack.kafka, wanted)).values())
        if now != written:
            written, changed_s = now, time.monotonic()
        still_s = time.monotonic() - changed_s
        if still_s > (context.settled_s if written >= wanted.total() else STALL_S):
            return
        await asyncio.sleep(POLL_S)


async def _require_rows(context: RunContext, job: WholeJob) -> None:
    """Check the rows of orders, inboxes and counts. Raises BenchError."""
    databases, count = context.stack.databases, len(job.orders)
    _require("ordering", await store.count_orders(databases["ordering"]), (count,))
    _require("notification", await store.count_messages(databases["notification"]), (count, count))
    _require("metrics", await store.count_metrics(databases["metrics"]), (count, job.lines))


def _require(service: str, actual: tuple[int, ...], wanted: tuple[int, ...]) -> None:
    if actual != wanted:
        raise BenchError(f"{service}'s tables hold {actual}, not {wanted}.")
