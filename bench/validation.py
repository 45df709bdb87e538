"""One run of the order-validation job on one engine.

The same for each: it reads all overviews, stops, the orders are written, it starts again and decides
them. So nothing else runs while it decides, and every engine decides on the same overviews.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from itertools import islice

from bench.arena import Arena
from bench.cpu import Meter, others_share, per_order_us
from bench.data.orders import orders
from bench.data.patients import Population
from bench.data.records import Given
from bench.data.region import directory, write_for_peers
from bench.engines.engine import Engine, Place
from bench.errors import BenchError
from bench.expect import Digest, Oracle
from bench.judge import Verdict, judged
from bench.kafka import committed, ends, fill, read
from bench.process import Processes
from schemas import topics
from schemas.directory import Directory

ORDERS = topics.ORDERS_REQUESTS.name
OVERVIEWS = topics.MEDICATION_STATUS.name
EVENTS = topics.ORDERS_EVENTS.name

LOOK_S = 0.25
STALL_S = 45.0
"""An engine that writes nothing for so long, before it is done, has failed."""
SETTLED_S = 1.5
"""Outputs are complete when there are enough and none has come for so long."""


@dataclass(frozen=True)
class Job:
    """The data of a run: the same for every engine."""

    region: Directory
    population: Population
    orders: tuple[Given, ...]
    expected: dict[str, Digest]


@dataclass(frozen=True)
class Played:
    """One run; `load_s` is how long reading the overviews took, start included.

    `cpu_us` is processor time for each order by who used it, `others` the part of all processors that
    something else took meanwhile.
    """

    engine: str
    orders: int
    load_s: float
    first_output_s: float
    cpu_us: dict[str, float]
    others: float
    verdict: Verdict


def job(patients: int, count: int, *, review_everything: bool = True) -> Job:
    """So many orders of so many patients, and what must be decided on each."""
    region, population = directory(review_everything=review_everything), Population(patients)
    placed = tuple(orders(population, count))
    oracle = Oracle(region, population.records())
    return Job(region, population, placed, oracle.expected(placed))


Beside = Callable[[Processes], AbstractAsyncContextManager[object]]
"""What happens beside an engine while it decides, such as a profiler that looks at it."""


async def play(
    arena: Arena, engine: Engine, whole: Job, beside: Beside = lambda _: nullcontext()
) -> Played:
    """One run of one engine. Raises BenchError when it fails, or decides anything otherwise."""
    given = whole.orders[: max(1, int(len(whole.orders) * engine.share))]
    place = await _prepared(arena, engine, whole)
    load_s = await _load(engine, place)
    filled_ms = await _fill(place, given)
    async with Processes(engine.programs(place, "run")) as running, beside(running):
        cpu_us, others = await _until_complete(place, running, len(given))
    expected = dict(islice(whole.expected.items(), len(given)))
    outputs = read(place.stack.kafka, [EVENTS])
    verdict = await asyncio.to_thread(judged, outputs, expected, engine.decides, filled_ms)
    first_s = verdict.first_ms / 1000 - running.started_s
    return Played(engine.name, len(given), load_s, first_s, cpu_us, others, verdict)


async def _prepared(arena: Arena, engine: Engine, whole: Job) -> Place:
    folder = await arena.anew(whole.region)
    region = write_for_peers(whole.region, folder / "region.json")
    place = Place(arena.stack, folder, f"{engine.name}-{folder.name}", region)
    await fill(arena.stack.kafka, OVERVIEWS, whole.population.records())
    await engine.prepare(place, whole.population)
    return place


async def _load(engine: Engine, place: Place) -> float:
    """Let the engine read all overviews, and stop it; seconds that it took."""
    group = engine.reads_overviews(place)
    if group is None:
        return 0.0
    wanted = await ends(place.stack.kafka, [OVERVIEWS])
    async with Processes(engine.programs(place, "load")) as running:
        deadline_s = time.monotonic() + STALL_S * 4
        while not _reached(wanted, await committed(place.stack.kafka, group)):
            running.require_running()
            if time.monotonic() > deadline_s:
                raise BenchError(f"{engine.title} did not read all overviews.")
            await asyncio.sleep(LOOK_S)
        return time.time() - running.started_s


def _reached(wanted: dict[tuple[str, int], int], stands: dict[tuple[str, int], int]) -> bool:
    return all(stands.get(where, 0) >= end for where, end in wanted.items())


async def _fill(place: Place, given: Sequence[Given]) -> tuple[int, int]:
    """Write the orders; when they were appended, in ms: not before, not after."""
    began_ms = int(time.time() * 1000)
    await fill(place.stack.kafka, ORDERS, given)
    return began_ms, int(time.time() * 1000) + 1


async def _until_complete(
    place: Place, running: Processes, orders: int
) -> tuple[dict[str, float], float]:
    """Wait until all outputs are there: processor time for each order, and what others took of it."""
    meter = Meter(place.stack, running.pids)
    first = await _written(place, running, 1)
    before = meter.read()
    await _written(place, running, orders)
    after = meter.read()
    await _settled(place, running)
    return per_order_us(before, after, orders - first), others_share(before, after)


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
        await asyncio.sleep(SETTLED_S)
        now = await _written(place, running, 1)
        if now == written:
            return
        written = now
