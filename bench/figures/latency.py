"""Measures the latency from an order over HTTP to its answer in the inbox, against four bare Kafka hops."""

import asyncio
import statistics
import sys
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from bench.data.orders import orders
from bench.data.patients import Population
from bench.data.records import InputRecord
from bench.data.region import PORTAL, directory, with_portal, write_for_peers
from bench.engines.engine import RunContext
from bench.errors import BenchError
from bench.judge import WARM_UP
from bench.kafka import fill
from bench.peers.hops import TOPICS
from bench.plan import Bench
from bench.process import Processes
from bench.result import Goal, Measured, compare
from bench.services import services, wait_until_services_ready
from bench.steps import OVERVIEWS, wait_until_caught_up
from deploy.local.postgres.databases import owner_dsn
from deploy.local.processes.process import Program, run
from runtime.kafka.admin import apply_topics
from schemas import topics
from schemas.access import Party
from schemas.topics import Topic

NAME = "latency"
GOAL = Goal(3, at="most")
PER_S = 300
RELAYS_READY_S = 3.0

ROOT = Path(__file__).parents[2]


async def measure(bench: Bench) -> Measured:
    """Measure orders and bare records in turn, while all four services run."""
    ours: list[float] = []
    bare: list[float] = []
    raw: list[dict[str, Any]] = []
    count = int(PER_S * bench.sizes.latency_s)
    population = Population(count * (bench.sizes.rounds + bench.sizes.warm_up))
    placed = orders(population, population.count)
    context = await _prepared(bench, population)
    async with Processes([*services(context), _relays(context)]) as running:
        await wait_until_services_ready(context, running)
        await wait_until_caught_up(context, running, ("ordering", "medication"), [OVERVIEWS])
        await asyncio.sleep(RELAYS_READY_S)
        if bench.sizes.warm_up:
            bench.report.status("Order → answer: warming up …")
            await _round(context, islice(placed, count))
        for number in range(1, bench.sizes.rounds + 1):
            bench.report.status(f"Order → answer at {PER_S} orders/s, round {number} …")
            measured = await _round(context, islice(placed, count))
            running.require_running()
            ours.append(measured["ours"]["p99_ms"])
            bare.append(measured["hops"]["p99_ms"])
            raw += [
                {"figure": NAME, "round": number, "path": p, **one} for p, one in measured.items()
            ]
            bench.report.info(
                f"Order → answer, round {number}: p99 {ours[-1]:.0f} ms, four hops {bare[-1]:.0f} ms"
            )
    figure = (
        f"order over HTTP → answer in the inbox at {PER_S} orders/s, p99, against four bare hops"
    )
    return Measured([compare(figure, "ms", ours, bare, GOAL)], raw)


async def _round(context: RunContext, placed: Iterable[InputRecord]) -> dict[str, dict[str, float]]:
    """Send the same orders over both paths, one after the other."""
    bodies = b"\n".join(order.value for order in placed)
    return {name: await _one(context, name, bodies) for name in ("ours", "hops")}


async def _prepared(bench: Bench, population: Population) -> RunContext:
    region = with_portal(directory(review_everything=False))
    folder = await bench.arena.reset(region)
    stack = bench.arena.stack
    context = RunContext(stack, folder, "latency", write_for_peers(region, folder / "region.json"))
    await fill(stack.kafka, OVERVIEWS, population.records())
    await apply_topics(stack.kafka, map(_hop, TOPICS), replication=1)
    return context


def _hop(name: str) -> Topic:
    return Topic(
        name, "A bare hop.", (), frozenset(), frozenset(), topics.ORDERS_REQUESTS.retention
    )


def _relays(context: RunContext) -> Program:
    argv = [sys.executable, "-m", "bench.peers.hops", context.stack.kafka]
    return Program("hops", argv, context.log("hops"), cwd=ROOT)


async def _one(context: RunContext, name: str, bodies: bytes) -> dict[str, float]:
    """Measure percentiles after the warm-up. Raises BenchError when an order is refused or has no answer."""
    source, result = context.folder / "bodies", context.folder / f"{name}.json"
    source.write_bytes(bodies)
    stack = context.stack
    # The owner's, as it adds a trigger.
    notification = owner_dsn(stack.postgres, "notification")
    arguments = {
        "ours": [
            str(stack.ports.services["ordering"]),
            stack.token(Party.PORTAL, sub=PORTAL),
            notification,
        ],
        "hops": [stack.kafka],
    }[name]
    module = {"ours": "bench.load.order_latency", "hops": "bench.load.hop_latency"}[name]
    argv = [sys.executable, "-m", module, *arguments, str(PER_S), str(source), str(result)]
    await run(Program(name, argv, context.log(f"load-{name}"), cwd=ROOT), "Measuring latency")
    measured = orjson.loads(result.read_bytes())
    if measured["refused"] or measured["missing"]:
        raise BenchError(
            f"{name}: {len(measured['refused'])} refused ({measured['refused'][:3]}),"
            f" {measured['missing']} without an answer."
        )
    return _percentiles(measured["latencies_ms"])


def _percentiles(latencies_ms: list[float]) -> dict[str, float]:
    counted = latencies_ms[int(len(latencies_ms) * WARM_UP) :]
    percent = statistics.quantiles(counted, n=100, method="inclusive")
    return {
        "p50_ms": round(percent[49], 2),
        "p95_ms": round(percent[94], 2),
        "p99_ms": round(percent[98], 2),
        "max_ms": round(max(counted), 2),
    }
