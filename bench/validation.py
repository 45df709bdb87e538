"""One run of the order-validation job on one engine.

The same for each: it reads all overviews, stops, the orders are written, it starts again and decides
them. So nothing else runs while it decides, and every engine decides on the same overviews.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from itertools import islice

from bench.arena import Arena
from bench.data.orders import orders
from bench.data.patients import Population
from bench.data.records import Given
from bench.data.region import directory, write_for_peers
from bench.engines.engine import Engine, Place
from bench.expect import Digest, Oracle
from bench.judge import Verdict, judged
from bench.kafka import ends, fill, read
from bench.process import Processes
from bench.steps import EVENTS, OVERVIEWS, load, place_orders, until_complete
from schemas.records.directory import Directory


@dataclass(frozen=True)
class Job:
    """Orders, and what must be decided on each."""

    region: Directory
    population: Population
    orders: Sequence[Given]
    expected: dict[str, Digest]

    def part(self, share: float) -> "Job":
        """The first part of the orders."""
        count = max(1, int(len(self.orders) * share))
        expected = dict(islice(self.expected.items(), count))
        return Job(self.region, self.population, self.orders[:count], expected)


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


def job(patients: int, count: int, seed: int = 1) -> Job:
    """So many orders of so many patients; no practice approves by itself, so each is one record."""
    region, population = directory(review_everything=True), Population(patients)
    placed = tuple(orders(population, count, seed))
    return Job(region, population, placed, Oracle(region, population).expected(placed))


Beside = Callable[[Processes], AbstractAsyncContextManager[object]]
"""What happens beside an engine while it decides, such as a profiler that looks at it."""


def alone(_: Processes) -> AbstractAsyncContextManager[object]:
    """Nothing happens beside it."""
    return nullcontext()


async def play(arena: Arena, engine: Engine, whole: Job, beside: Beside = alone) -> Played:
    """One run of one engine. Raises BenchError when it fails, or decides anything otherwise."""
    place = await prepared(arena, engine, whole)
    load_s = await load(engine, place)
    return await decide(engine, place, whole.part(engine.share), load_s, beside)


async def prepared(arena: Arena, engine: Engine, whole: Job) -> Place:
    """Servers as new, with the region and all overviews on Kafka."""
    folder = await arena.anew(whole.region)
    region = write_for_peers(whole.region, folder / "region.json")
    place = Place(arena.stack, folder, f"{engine.name}-{folder.name}", region, arena.timed)
    await fill(arena.stack.kafka, OVERVIEWS, whole.population.records())
    await engine.prepare(place, whole.population)
    return place


async def decide(
    engine: Engine, place: Place, given: Job, load_s: float = 0.0, beside: Beside = alone
) -> Played:
    """Let an engine that has read the overviews decide these orders. Raises BenchError as `play`."""
    since = await ends(place.stack.kafka, [EVENTS])
    filled_ms = await place_orders(place, given.orders)
    count = len(given.orders)
    async with Processes(engine.programs(place, "run")) as running, beside(running):
        cpu_us, others = await until_complete(place, running, sum(since.values()) + count)
    outputs = read(place.stack.kafka, [EVENTS], since)
    verdict = await asyncio.to_thread(judged, outputs, given.expected, engine.decides, filled_ms)
    first_s = verdict.first_ms / 1000 - running.started_s
    return Played(engine.name, count, load_s, first_s, cpu_us, others, verdict)
