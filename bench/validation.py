"""Runs the order-validation job on one engine.

Each engine reads all overviews and stops; then the orders are written, and it starts again and decides
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
from bench.data.records import InputRecord
from bench.data.region import directory, write_for_peers
from bench.engines.engine import Engine, RunContext
from bench.expect import Digest, Oracle
from bench.judge import Verdict, judge_outputs
from bench.kafka import ends, fill, read
from bench.process import Processes
from bench.steps import EVENTS, OVERVIEWS, load, place_orders, wait_until_complete
from schemas.records.directory import Directory


@dataclass(frozen=True)
class Job:
    """Orders, and the expected decision on each."""

    region: Directory
    population: Population
    orders: Sequence[InputRecord]
    expected: dict[str, Digest]

    def part(self, share: float) -> "Job":
        """Take this share of the orders, from the first on."""
        count = max(1, int(len(self.orders) * share))
        expected = dict(islice(self.expected.items(), count))
        return Job(self.region, self.population, self.orders[:count], expected)


@dataclass(frozen=True)
class EngineRun:
    """The result of one run. `load_s` is the time of reading the overviews, start included.

    `cpu_us` is the CPU time per order by user, `others` the share of all CPU time that other programs used.
    """

    engine: str
    orders: int
    load_s: float
    first_output_s: float
    cpu_us: dict[str, float]
    others: float
    verdict: Verdict


def job(count: int, seed: int = 1) -> Job:
    """Make a job of as many patients as orders. All lines are reviewed: each order has one output record."""
    region, population = directory(review_everything=True), Population(count)
    placed = tuple(orders(population, count, seed))
    return Job(region, population, placed, Oracle(region, population).expected(placed))


Observer = Callable[[Processes], AbstractAsyncContextManager[object]]
"""Runs beside an engine while it decides, such as a profiler."""


def no_observer(_: Processes) -> AbstractAsyncContextManager[object]:
    """Observe nothing."""
    return nullcontext()


async def run_engine(
    arena: Arena, engine: Engine, whole: Job, observer: Observer = no_observer
) -> EngineRun:
    """Run one engine. Raises BenchError when it fails, or makes a wrong decision."""
    context = await prepare_run(arena, engine, whole)
    load_s = await load(engine, context)
    return await decide(engine, context, whole.part(engine.share), load_s, observer)


async def prepare_run(arena: Arena, engine: Engine, whole: Job) -> RunContext:
    """Reset the servers, and write the region and all overviews to Kafka."""
    folder = await arena.reset(whole.region)
    region = write_for_peers(whole.region, folder / "region.json")
    context = RunContext(arena.stack, folder, f"{engine.name}-{folder.name}", region, arena.timed)
    await fill(arena.stack.kafka, OVERVIEWS, whole.population.records())
    await engine.prepare(context, whole.population)
    return context


async def decide(
    engine: Engine,
    context: RunContext,
    given: Job,
    load_s: float = 0.0,
    observer: Observer = no_observer,
) -> EngineRun:
    """Let an engine that has read the overviews decide these orders. Raises BenchError as `run_engine`."""
    since = await ends(context.stack.kafka, [EVENTS])
    filled_ms = await place_orders(context, given.orders)
    count = len(given.orders)
    async with Processes(engine.programs(context, "run")) as running, observer(running):
        cpu_us, others = await wait_until_complete(context, running, sum(since.values()) + count)
    outputs = read(context.stack.kafka, [EVENTS], since)
    verdict = await asyncio.to_thread(
        judge_outputs, outputs, given.expected, engine.decides, filled_ms
    )
    first_s = verdict.first_ms / 1000 - running.started_s
    return EngineRun(engine.name, count, load_s, first_s, cpu_us, others, verdict)
