"""The full-output job: all four services, and everything that follows from an order.

Events, prescriptions on the pharmacies' topics, messages and promises, rows in inboxes, counts. An order
is done when the last record that follows from it is on Kafka, the run when metrics has counted it too.
"""

import asyncio
import time
from dataclasses import dataclass

from bench import store
from bench.arena import Arena
from bench.cpu import Meter, others_share, per_order_us
from bench.data.region import write_for_peers
from bench.engines.engine import Place
from bench.errors import BenchError
from bench.follows import WholeJob, done_ms
from bench.judge import WARM_UP, rate
from bench.kafka import ends, fill, read
from bench.process import Processes
from bench.services import ready, services
from bench.steps import LOOK_S, OVERVIEWS, STALL_S, caught_up, place_orders
from schemas import topics

_READ_OVERVIEWS = ("ordering", "medication")
_DEAD = tuple(topics.dead_letters(service).name for service in topics.SERVICES)

_COUNT_EVERY_S = 0.05
"""How late it can be seen that all is counted, which is part of the run."""


@dataclass(frozen=True)
class Whole:
    """One run that is complete: orders a second after the warm-up, and the records beyond one of each."""

    orders: int
    per_s: float
    records: int
    duplicates: int
    cpu_us: dict[str, float]
    others: float


async def loaded(arena: Arena, job: WholeJob) -> Place:
    """Servers as new, on which the services have read the region and all overviews, and have stopped."""
    folder = await arena.anew(job.region)
    region = write_for_peers(job.region, folder / "region.json")
    place = Place(arena.stack, folder, "all", region, arena.timed)
    await fill(arena.stack.kafka, OVERVIEWS, job.population.records())
    async with Processes(services(place)) as loading:
        await ready(place, loading)
        await caught_up(place, loading, _READ_OVERVIEWS, [OVERVIEWS])
    return place


async def play_whole(arena: Arena, job: WholeJob) -> Whole:
    """One run. Raises BenchError when anything that must follow does not, or anything else does."""
    place = await loaded(arena, job)
    await place_orders(place, job.orders)
    async with Processes(services(place)) as running:
        meter = Meter(place.stack, running.pids)
        before = meter.read()
        counted_ms = await until_counted(place, running, job)
        await _until_told(place, running, job)
        after = meter.read()
    outputs = read(place.stack.kafka, [*job.topics, *_DEAD])
    done, records = await asyncio.to_thread(done_ms, outputs, job)
    await _require_rows(place, job)
    stamps = sorted(done.values())
    stamps[-1] = max(stamps[-1], counted_ms)
    return Whole(
        orders=len(job.orders),
        per_s=rate(stamps, WARM_UP),
        records=records,
        duplicates=records - len(job.follows),
        cpu_us=per_order_us(before, after, len(job.orders)),
        others=others_share(before, after),
    )


async def until_counted(place: Place, running: Processes, job: WholeJob) -> int:
    """Wait until metrics has counted every order; when that was seen, in ms."""
    async with store.database(place.stack.databases["metrics"]) as db:
        counted, changed_s = -1, time.monotonic()
        while True:
            running.require_running()
            now = await store.counted_orders(db)
            if now >= len(job.orders):
                return int(time.time() * 1000)
            if now != counted:
                counted, changed_s = now, time.monotonic()
            if time.monotonic() - changed_s > STALL_S:
                raise BenchError(f"metrics has counted {counted} of {len(job.orders)} orders.")
            await asyncio.sleep(_COUNT_EVERY_S)


async def _until_told(place: Place, running: Processes, job: WholeJob) -> None:
    """Wait until everything that must come is there, or nothing more comes."""
    wanted = job.topics
    written, changed_s = -1, time.monotonic()
    while True:
        running.require_running()
        now = sum((await ends(place.stack.kafka, wanted)).values())
        if now != written:
            written, changed_s = now, time.monotonic()
        still_s = time.monotonic() - changed_s
        if still_s > (place.settled_s if written >= wanted.total() else STALL_S):
            return
        await asyncio.sleep(LOOK_S)


async def _require_rows(place: Place, job: WholeJob) -> None:
    """Raises BenchError when the orders, the inboxes or the counts are not what they must be."""
    databases, count = place.stack.databases, len(job.orders)
    _require("ordering", await store.ordered(databases["ordering"]), (count,))
    _require("notification", await store.told(databases["notification"]), (count, count))
    _require("metrics", await store.counted(databases["metrics"]), (count, job.lines))


def _require(service: str, found: tuple[int, ...], wanted: tuple[int, ...]) -> None:
    if found != wanted:
        raise BenchError(f"{service}'s tables hold {found}, not {wanted}.")
