"""Measures the cost of a Kafka that asks who connects, and of one that encrypts: one job on three Kafkas."""

from contextlib import AbstractAsyncContextManager, AsyncExitStack, nullcontext
from typing import Any

from bench.arena import Arena, KafkaDoor, arena
from bench.engines.ours import Ours
from bench.plan import Bench
from bench.result import Measured, Row, compare
from bench.validation import job, run_engine

NAME = "kafka-access"

DOORS: dict[KafkaDoor, str] = {
    "open": "asks nobody",
    "scram": "asks who connects (SCRAM, access lists)",
    "tls": "also encrypts (TLS)",
}


async def measure(bench: Bench) -> Measured:
    """Measure order validation on each in turn, with the same orders. All servers run all the time."""
    whole = job(bench.sizes.whole_orders)
    engine = Ours(bench.sizes.workers)
    per_s: dict[KafkaDoor, list[float]] = {door: [] for door in DOORS}
    raw: list[dict[str, Any]] = []
    async with AsyncExitStack() as running:
        arenas = {door: await running.enter_async_context(_arena(bench, door)) for door in DOORS}
        if bench.sizes.warm_up:
            for one in arenas.values():
                await run_engine(one, engine, whole)
        for number in range(1, bench.sizes.rounds + 1):
            for door, one in arenas.items():
                bench.report.status(f"A Kafka that {DOORS[door]}, round {number} …")
                played = await run_engine(one, engine, whole)
                per_s[door].append(played.verdict.per_s)
                measured = {"per_s": per_s[door][-1], "cpu_us": played.cpu_us}
                raw.append({"figure": NAME, "round": number, "kafka": door, **measured})
            rates = ", ".join(f"{door} {found[-1]:,.0f}" for door, found in per_s.items())
            bench.report.info(f"Kafka's door, round {number}: {rates} orders/s")
    return Measured([_row(door, per_s) for door in DOORS if door != "open"], raw)


def _arena(bench: Bench, door: KafkaDoor) -> AbstractAsyncContextManager[Arena]:
    if door == "open":
        return nullcontext(bench.arena)
    folder = bench.arena.folder / door
    folder.mkdir()
    return arena(folder, bench.report, timed=bench.arena.timed, door=door)


def _row(door: KafkaDoor, per_s: dict[KafkaDoor, list[float]]) -> Row:
    figure = f"order validation on a Kafka that {DOORS[door]}, against one that {DOORS['open']}"
    return compare(figure, "orders/s", per_s[door], per_s["open"], None)
