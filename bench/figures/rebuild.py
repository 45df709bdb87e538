"""metrics built anew from its topic (`herhaal rebuild metrics`) against only reading the same records."""

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import orjson

from bench.data.orders import orders
from bench.data.patients import Population
from bench.data.records import Given
from bench.data.region import directory, write_for_peers
from bench.engines.engine import Place
from bench.errors import BenchError
from bench.expect import Oracle
from bench.kafka import fill
from bench.plan import Bench
from bench.process import Processes
from bench.result import Goal, Measured, compare, missing
from bench.services import ready, services
from bench.steps import EVENTS, caught_up
from deploy.local.processes.process import Program, run

NAME = "rebuild"
FIGURE = "rebuild of metrics from its topic, against raw consumption"
MOST_ASKED = 40_000
SHARE_ASKED = 0.8

ROOT = Path(__file__).parents[2]


async def measure(bench: Bench) -> Measured:
    """Reading and building anew take turns, on events that metrics has counted before."""
    if find_spec("cli.rebuild") is None:
        why = "this version has no `herhaal rebuild`"
        return Measured([missing(FIGURE, "events/s", None, why)])
    place = await _counted(bench)
    ours: list[float] = []
    raw_read: list[float] = []
    raw: list[dict[str, Any]] = []
    for number in range(1, bench.sizes.rounds + 1):
        bench.report.status(f"Rebuild of metrics, round {number} …")
        raw_read.append(await _read(place))
        ours.append(await _rebuilt(place, bench.sizes.events))
        bench.report.say(
            f"Rebuild, round {number}: {ours[-1]:,.0f} events/s, read {raw_read[-1]:,.0f}"
        )
        raw.append({"figure": NAME, "round": number, "per_s": ours[-1], "read_per_s": raw_read[-1]})
    row = compare(FIGURE, "events/s", ours, raw_read, None)
    assert row.peer is not None, "it was just measured"
    goal = Goal(min(MOST_ASKED, SHARE_ASKED * row.peer), of="ours", unit="events/s")
    note = f"the goal is {MOST_ASKED:,} or {SHARE_ASKED} × of reading, whichever is lower"
    return Measured([compare(FIGURE, "events/s", ours, raw_read, goal, note)], raw)


async def _counted(bench: Bench) -> Place:
    """Decisions on `orders.events`, and metrics having counted them all."""
    region = directory(review_everything=False)
    folder = await bench.arena.anew(region)
    written = write_for_peers(region, folder / "region.json")
    place = Place(bench.arena.stack, folder, "rebuild", written)
    population = Population(bench.sizes.patients)
    oracle = Oracle(region, population)
    bench.report.status(f"Counting {bench.sizes.events:,} events …")
    decided = (oracle.decide(order)[0] for order in orders(population, bench.sizes.events))
    await fill(
        place.stack.kafka,
        EVENTS,
        (
            Given(d.key or b"", d.value or b"", [(n, v or b"") for n, v in d.headers])
            for d in decided
        ),
    )
    async with Processes(services(place, ["metrics"])) as running:
        await ready(place, running, ["metrics"])
        await caught_up(place, running, ["metrics"], [EVENTS])
    return place


async def _read(place: Place) -> float:
    result = place.folder / "read.json"
    argv = [sys.executable, "-m", "bench.load.consume", place.stack.kafka, EVENTS, str(result)]
    await run(Program("consume", argv, place.log("consume"), cwd=ROOT), "Reading the events")
    found = orjson.loads(result.read_bytes())
    return float(found["records"] / found["seconds"])


async def _rebuilt(place: Place, events: int) -> float:
    """From the command's first connection to the switch. Raises BenchError when it changed any count."""
    result, stack = place.folder / "rebuild.json", place.stack
    where = ["--kafka", stack.kafka, "--postgres", stack.postgres, "--json", str(result)]
    argv = [sys.executable, "-m", "cli", "rebuild", "metrics", *where]
    await run(Program("rebuild", argv, place.log("rebuild"), cwd=ROOT), "herhaal rebuild metrics")
    found = orjson.loads(result.read_bytes())
    tables = found["tables"].values()
    differs = any(table["added"] or table["changed"] or table["gone"] for table in tables)
    if differs or not found["switched"] or found["records"] != events:
        raise BenchError(f"The rebuild did not give the same counts: {found}")
    return float(found["records"] / found["seconds"])
