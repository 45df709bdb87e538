"""Measures a rebuild of metrics (`herhaal rebuild metrics`) against only reading the same records."""

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import orjson

from bench.data.orders import orders
from bench.data.patients import Population
from bench.data.records import InputRecord
from bench.data.region import directory, write_for_peers
from bench.engines.engine import RunContext
from bench.errors import BenchError
from bench.expect import Oracle
from bench.kafka import fill
from bench.plan import Bench
from bench.process import Processes
from bench.result import Goal, Measured, compare, missing
from bench.services import services, wait_until_services_ready
from bench.steps import EVENTS, wait_until_caught_up
from deploy.local.processes.process import Program, run

NAME = "rebuild"
FIGURE = "rebuild of metrics from its topic, against raw consumption"
GOAL_PER_S = 40_000
GOAL_SHARE = 0.8

ROOT = Path(__file__).parents[2]


async def measure(bench: Bench) -> Measured:
    """Measure reading and rebuilding in turn, on events that metrics has counted before."""
    if find_spec("cli.rebuild") is None:
        why = "this version has no `herhaal rebuild`"
        return Measured([missing(FIGURE, "events/s", None, why)])
    context = await _counted(bench)
    ours: list[float] = []
    raw_read: list[float] = []
    raw: list[dict[str, Any]] = []
    for number in range(1, bench.sizes.rounds + 1):
        bench.report.status(f"Rebuild of metrics, round {number} …")
        raw_read.append(await _read(context))
        ours.append(await _rebuilt(context, bench.sizes.events))
        bench.report.info(
            f"Rebuild, round {number}: {ours[-1]:,.0f} events/s, read {raw_read[-1]:,.0f}"
        )
        raw.append({"figure": NAME, "round": number, "per_s": ours[-1], "read_per_s": raw_read[-1]})
    row = compare(FIGURE, "events/s", ours, raw_read, None)
    assert row.peer is not None, "it was just measured"
    goal = Goal(min(GOAL_PER_S, GOAL_SHARE * row.peer), of="ours", unit="events/s")
    note = f"the goal is {GOAL_PER_S:,} or {GOAL_SHARE} × of reading, whichever is lower"
    return Measured([compare(FIGURE, "events/s", ours, raw_read, goal, note)], raw)


async def _counted(bench: Bench) -> RunContext:
    """Publish decisions on `orders.events`, and let metrics count them all."""
    region = directory(review_everything=False)
    folder = await bench.arena.reset(region)
    written = write_for_peers(region, folder / "region.json")
    context = RunContext(bench.arena.stack, folder, "rebuild", written)
    population = Population(bench.sizes.events)
    oracle = Oracle(region, population)
    bench.report.status(f"Counting {bench.sizes.events:,} events …")
    decided = (oracle.decide(order)[0] for order in orders(population, bench.sizes.events))
    await fill(
        context.stack.kafka,
        EVENTS,
        (
            InputRecord(d.key or b"", d.value or b"", [(n, v or b"") for n, v in d.headers])
            for d in decided
        ),
    )
    async with Processes(services(context, ["metrics"])) as running:
        await wait_until_services_ready(context, running, ["metrics"])
        await wait_until_caught_up(context, running, ["metrics"], [EVENTS])
    return context


async def _read(context: RunContext) -> float:
    result = context.folder / "read.json"
    argv = [sys.executable, "-m", "bench.load.consume", context.stack.kafka, EVENTS, str(result)]
    await run(Program("consume", argv, context.log("consume"), cwd=ROOT), "Reading the events")
    measured = orjson.loads(result.read_bytes())
    return float(measured["records"] / measured["seconds"])


async def _rebuilt(context: RunContext, events: int) -> float:
    """Measure from the command's first connection to the switch. Raises BenchError when a count changed."""
    result, stack = context.folder / "rebuild.json", context.stack
    where = ["--kafka", stack.kafka, "--postgres", stack.postgres, "--json", str(result)]
    argv = [sys.executable, "-m", "cli", "rebuild", "metrics", *where]
    await run(Program("rebuild", argv, context.log("rebuild"), cwd=ROOT), "herhaal rebuild metrics")
    measured = orjson.loads(result.read_bytes())
    tables = measured["tables"].values()
    differs = any(table["added"] or table["changed"] or table["gone"] for table in tables)
    if differs or not measured["switched"] or measured["records"] != events:
        raise BenchError(f"The rebuild did not give the same counts: {measured}")
    return float(measured["records"] / measured["seconds"])
