"""From an order over HTTP to its answer in the inbox, against four bare Kafka hops at the same rate."""

import asyncio
import statistics
import sys
from pathlib import Path
from typing import Any

import orjson

from bench.data.orders import orders
from bench.data.patients import Population
from bench.data.region import directory, write_for_peers
from bench.engines.engine import Place
from bench.errors import BenchError
from bench.judge import WARM_UP
from bench.kafka import fill
from bench.peers.hops import TOPICS
from bench.plan import Bench
from bench.process import Processes
from bench.result import Goal, Measured, compare
from bench.services import ready, services
from bench.steps import OVERVIEWS, caught_up
from deploy.local.processes.process import Program, run
from runtime.kafka.admin import apply_topics
from schemas import topics
from schemas.topics import Topic

NAME = "latency"
GOAL = Goal(3, at="most")
PER_S = 300
RELAYS_READY_S = 3.0

ROOT = Path(__file__).parents[2]


async def measure(bench: Bench) -> Measured:
    """All four services run all the time; orders and bare records take turns."""
    ours: list[float] = []
    bare: list[float] = []
    raw: list[dict[str, Any]] = []
    place, population = await _prepared(bench)
    async with Processes([*services(place), _relays(place)]) as running:
        await ready(place, running)
        await caught_up(place, running, ("ordering", "medication"), [OVERVIEWS])
        await asyncio.sleep(RELAYS_READY_S)
        if bench.sizes.warm_up:
            bench.report.status("Order → answer: warming up …")
            await _round(bench, place, population, 0)
        for number in range(1, bench.sizes.rounds + 1):
            bench.report.status(f"Order → answer at {PER_S} orders/s, round {number} …")
            found = await _round(bench, place, population, number)
            running.require_running()
            ours.append(found["ours"]["p99_ms"])
            bare.append(found["hops"]["p99_ms"])
            raw += [{"figure": NAME, "round": number, "path": p, **one} for p, one in found.items()]
            bench.report.say(
                f"Order → answer, round {number}: p99 {ours[-1]:.0f} ms, four hops {bare[-1]:.0f} ms"
            )
    figure = (
        f"order over HTTP → answer in the inbox at {PER_S} orders/s, p99, against four bare hops"
    )
    return Measured([compare(figure, "ms", ours, bare, GOAL)], raw)


async def _round(
    bench: Bench, place: Place, population: Population, number: int
) -> dict[str, dict[str, float]]:
    """The same new orders over both paths, one after the other."""
    placed = orders(population, int(PER_S * bench.sizes.latency_s), seed=200 + number)
    bodies = b"\n".join(order.value for order in placed)
    return {name: await _one(place, name, bodies) for name in ("ours", "hops")}


async def _prepared(bench: Bench) -> tuple[Place, Population]:
    region = directory(review_everything=False)
    folder = await bench.arena.anew(region)
    stack = bench.arena.stack
    place = Place(stack, folder, "latency", write_for_peers(region, folder / "region.json"))
    population = Population(bench.sizes.patients)
    await fill(stack.kafka, OVERVIEWS, population.records())
    await apply_topics(stack.kafka, map(_hop, TOPICS), replication=1)
    return place, population


def _hop(name: str) -> Topic:
    return Topic(
        name, "A bare hop.", (), frozenset(), frozenset(), topics.ORDERS_REQUESTS.retention
    )


def _relays(place: Place) -> Program:
    argv = [sys.executable, "-m", "bench.peers.hops", place.stack.kafka]
    return Program("hops", argv, place.log("hops"), cwd=ROOT)


async def _one(place: Place, name: str, bodies: bytes) -> dict[str, float]:
    """Percentiles after the warm-up. Raises BenchError when an order is refused or has no answer."""
    source, result = place.folder / "bodies", place.folder / f"{name}.json"
    source.write_bytes(bodies)
    stack = place.stack
    told = {
        "ours": [str(stack.ports.services["ordering"]), stack.databases["notification"]],
        "hops": [stack.kafka],
    }[name]
    module = {"ours": "bench.load.order_latency", "hops": "bench.load.hop_latency"}[name]
    argv = [sys.executable, "-m", module, *told, str(PER_S), str(source), str(result)]
    await run(Program(name, argv, place.log(f"load-{name}"), cwd=ROOT), "Measuring latency")
    found = orjson.loads(result.read_bytes())
    if found["refused"] or found["missing"]:
        raise BenchError(
            f"{name}: {len(found['refused'])} refused ({found['refused'][:3]}),"
            f" {found['missing']} without an answer."
        )
    return _percentiles(found["latencies_ms"])


def _percentiles(latencies_ms: list[float]) -> dict[str, float]:
    counted = latencies_ms[int(len(latencies_ms) * WARM_UP) :]
    percent = statistics.quantiles(counted, n=100, method="inclusive")
    return {
        "p50_ms": round(percent[49], 2),
        "p95_ms": round(percent[94], 2),
        "p99_ms": round(percent[98], 2),
        "max_ms": round(max(counted), 2),
    }
