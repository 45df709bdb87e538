"""Measures orders over HTTP with acks=all: ordering's API against a bare FastAPI endpoint, one process each.

All verify the portal's JWT: one bare endpoint in each request, the other once, as ordering does.
"""

import asyncio
import statistics
import sys
from pathlib import Path
from typing import Any

import orjson

from bench.cpu import Meter, others_share, per_order_us
from bench.data.orders import orders
from bench.data.patients import Population
from bench.data.records import InputRecord
from bench.data.region import PORTAL, directory, with_portal, write_for_peers
from bench.engines.engine import RunContext
from bench.errors import BenchError
from bench.judge import WARM_UP, rate
from bench.kafka import read
from bench.plan import Bench
from bench.process import Processes
from bench.result import Goal, Measured, compare
from bench.services import services, wait_until_services_ready
from bench.steps import ORDERS
from deploy.local.processes.process import Program, run
from schemas.access import Party

NAME = "intake"
GOAL = Goal(0.8)
CONNECTIONS = 64

OURS, BARE, REMEMBERING = "ours", "bare", "bare, remembering"
SERVERS = (OURS, BARE, REMEMBERING)

ROOT = Path(__file__).parents[2]


async def measure(bench: Bench) -> Measured:
    """Measure all in turn, with the same orders."""
    placed = tuple(orders(Population(bench.sizes.requests), bench.sizes.requests))
    rates: dict[str, list[float]] = {name: [] for name in SERVERS}
    raw: list[dict[str, Any]] = []
    if bench.sizes.warm_up:
        bench.report.status("HTTP intake: warming up …")
        await _one(bench, BARE, placed)
    for number in range(1, bench.sizes.rounds + 1):
        for name in SERVERS:
            bench.report.status(f"HTTP intake, round {number} of {bench.sizes.rounds}: {name} …")
            measured = await _one(bench, name, placed)
            rates[name].append(measured["per_s"])
            raw.append({"figure": NAME, "round": number, "server": name, **measured})
        found = "; ".join(
            f"{one['server']} {one['per_s']:,.0f} orders/s, {one['cpu_us']['engine']:.0f} µs of processor"
            for one in raw[-len(SERVERS) :]
        )
        bench.report.info(f"HTTP intake, round {number}: {found}")
    note = f"{CONNECTIONS} keep-alive connections in a closed loop, {len(placed):,} orders"
    figure = "HTTP intake with acks=all, one process, against bare FastAPI + aiokafka that verifies"
    peers = ((BARE, "each request's JWT", GOAL), (REMEMBERING, "a JWT once", None))
    rows = [
        compare(f"{figure} {what}", "orders/s", rates[OURS], rates[name], goal, note)
        for name, what, goal in peers
    ]
    return Measured(rows, raw)


async def _one(bench: Bench, name: str, placed: tuple[InputRecord, ...]) -> dict[str, Any]:
    region = with_portal(directory(review_everything=True))
    folder = await bench.arena.reset(region)
    context = RunContext(
        bench.arena.stack, folder, name, write_for_peers(region, folder / "region.json")
    )
    programs = services(context, ["ordering"], "api") if name == OURS else [_bare(context, name)]
    async with Processes(programs) as running:
        await wait_until_services_ready(context, running, ["ordering"])
        meter = Meter(context.stack, running.pids)
        before = meter.read()
        result = await _load(context, placed)
        after = meter.read()
    stamps = await asyncio.to_thread(_append_times, context, placed)
    latencies = sorted(result["latencies_ms"])
    return {
        "per_s": rate(stamps, WARM_UP),
        "p50_ms": round(statistics.median(latencies), 2),
        "p99_ms": round(latencies[int(len(latencies) * 0.99)], 2),
        "cpu_us": per_order_us(before, after, len(placed)),
        "others": others_share(before, after),
    }


def _bare(context: RunContext, name: str) -> Program:
    stack = context.stack
    port = str(stack.ports.services["ordering"])
    argv = [sys.executable, "-m", "bench.peers.bare_fastapi", stack.kafka, port, stack.issuer]
    if name == REMEMBERING:
        argv.append("remember")
    return Program("bare_fastapi", argv, context.log("bare_fastapi"), cwd=ROOT)


async def _load(context: RunContext, placed: tuple[InputRecord, ...]) -> dict[str, Any]:
    """Send all orders from a separate process. Raises BenchError when one is not answered with 202."""
    bodies, result = context.folder / "bodies", context.folder / "load.json"
    bodies.write_bytes(b"\n".join(order.value for order in placed))
    port = str(context.stack.ports.services["ordering"])
    token = context.stack.token(Party.PORTAL, sub=PORTAL)
    argv = [sys.executable, "-m", "bench.load.closed", port, token, str(CONNECTIONS), str(bodies)]
    await run(
        Program("load", [*argv, str(result)], context.log("load"), cwd=ROOT), "The load generator"
    )
    measured: dict[str, Any] = orjson.loads(result.read_bytes())
    if measured["statuses"] != {"202": len(placed)}:
        raise BenchError(f"Not all orders were answered with 202: {measured['statuses']}.")
    return measured


def _append_times(context: RunContext, placed: tuple[InputRecord, ...]) -> list[int]:
    """Read the append time of each order. Raises BenchError when Kafka does not have each exactly once."""
    stamps = {}
    records = 0
    for output in read(context.stack.kafka, [ORDERS]):
        records += 1
        stamps[orjson.loads(output.value)["order_id"]] = output.at_ms
    wanted = {orjson.loads(order.value)["order_id"] for order in placed}
    if stamps.keys() != wanted or records != len(placed):
        raise BenchError(f"Kafka has {records} records of {len(stamps)} of {len(placed)} orders.")
    return sorted(stamps.values())
