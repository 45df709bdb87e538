"""Measures deciding with a million patients' overviews against fifty thousand, on two stacks in turn.

Both stacks are new, as servers that have run the other figures are warm and faster. Each round forgets the
orders of the one before, as in the job each patient orders once.
"""

from contextlib import AbstractAsyncContextManager, AsyncExitStack, nullcontext
from dataclasses import dataclass
from typing import Any

from bench import store
from bench.arena import Arena, arena
from bench.data.orders import orders
from bench.data.patients import Population
from bench.data.region import directory, write_for_peers
from bench.engines.engine import RunContext
from bench.engines.ours import Ours
from bench.expect import Oracle
from bench.kafka import fill
from bench.plan import Bench
from bench.result import Goal, Measured, Row, alone, compare
from bench.steps import OVERVIEWS, load
from bench.validation import EngineRun, Job, decide
from schemas.records.directory import Directory

NAME = "patients"
GOAL = Goal(0.9)


@dataclass(frozen=True)
class _Side:
    """A stack on which ordering has read the overviews of a population from Kafka."""

    region: Directory
    population: Population
    context: RunContext
    oracle: Oracle
    load_s: float


async def measure(bench: Bench) -> Measured:
    """Let both sides read their overviews once, then decide new orders in turn, round by round."""
    few, many = bench.sizes.populations
    engine = Ours(bench.sizes.workers)
    async with AsyncExitStack() as stacks:
        small, large = [
            await _side(
                bench, await stacks.enter_async_context(_servers(bench, name)), engine, count
            )
            for name, count in (("few", few), ("many", many))
        ]
        played: list[tuple[EngineRun, EngineRun]] = []
        for number in range(0 if bench.sizes.warm_up else 1, bench.sizes.rounds + 1):
            pair = (
                await _round(bench, engine, small, number),
                await _round(bench, engine, large, number),
            )
            if number == 0:
                # The first round warms both new stacks and is not counted.
                continue
            played.append(pair)
            bench.report.info(
                f"Patients, round {number}: {pair[1].verdict.per_s:,.0f} orders/s with {many:,},"
                f" {pair[0].verdict.per_s:,.0f} with {few:,}"
            )
    return Measured(_rows(played, large), _raw(played, small, large))


def _servers(bench: Bench, name: str) -> AbstractAsyncContextManager[Arena]:
    if bench.sizes.quick and name == "few":
        # Rates are not measured, so this side may use the servers of the other figures.
        return nullcontext(bench.arena)
    return arena(bench.arena.folder / name, bench.report, timed=not bench.sizes.quick)


async def _side(bench: Bench, where: Arena, engine: Ours, count: int) -> _Side:
    bench.report.status(f"Overviews of {count:,} patients …")
    region, population = directory(review_everything=True), Population(count)
    folder = await where.reset(region)
    written = write_for_peers(region, folder / "region.json")
    context = RunContext(where.stack, folder, engine.name, written, where.timed)
    await fill(where.stack.kafka, OVERVIEWS, population.records())
    bench.report.status(f"Ordering reads the overviews of {count:,} patients …")
    load_s = await load(engine, context)
    await where.settle("ordering")
    return _Side(region, population, context, Oracle(region, population), load_s)


async def _round(bench: Bench, engine: Ours, side: _Side, number: int) -> EngineRun:
    bench.report.status(f"{side.population.count:,} patients, round {number} …")
    placed = tuple(orders(side.population, bench.sizes.patient_orders, seed=100 + number))
    given = Job(side.region, side.population, placed, side.oracle.expected(placed))
    await store.forget_orders(side.context.database_owner)
    return await decide(engine, side.context, given)


def _rows(played: list[tuple[EngineRun, EngineRun]], large: _Side) -> list[Row]:
    few = [small.verdict.per_s for small, _ in played]
    many = [big.verdict.per_s for _, big in played]
    count = large.population.count
    return [
        compare(
            f"decisions with the overviews of {count:,} patients against few",
            "orders/s",
            many,
            few,
            GOAL,
        ),
        alone(
            "overviews that ordering reads from Kafka into its database",
            "overviews/s",
            [count / large.load_s],
            None,
            f"{count:,} overviews once, start of the process included",
        ),
    ]


def _raw(
    played: list[tuple[EngineRun, EngineRun]], small: _Side, large: _Side
) -> list[dict[str, Any]]:
    return [
        {
            "figure": NAME,
            "round": number,
            "patients": side.population.count,
            "load_s": round(side.load_s, 2),
            "per_s": run.verdict.per_s,
            "cpu_us": run.cpu_us,
            "others": run.others,
        }
        for number, pair in enumerate(played, 1)
        for side, run in zip((small, large), pair, strict=True)
    ]
