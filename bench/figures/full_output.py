"""Measures all four services with all their output, against the validation of the same orders alone."""

from dataclasses import asdict
from typing import Any

from bench.engines.ours import Ours
from bench.plan import Bench
from bench.result import Goal, Measured, compare
from bench.validation import job, run_engine
from bench.whole import run_whole_job
from bench.whole_job import whole_job

NAME = "full-output"
GOAL = Goal(0.35)


async def measure(bench: Bench) -> Measured:
    """Measure validation alone and full output in turn."""
    sizes = bench.sizes
    bench.report.status(f"Making {sizes.whole_orders:,} orders …")
    alone = job(sizes.whole_orders)
    whole = whole_job(sizes.whole_orders)
    engine = Ours(sizes.workers)
    all_s: list[float] = []
    alone_s: list[float] = []
    raw: list[dict[str, Any]] = []
    for number in range(1, sizes.rounds + 1):
        bench.report.status(f"Full output, round {number} of {sizes.rounds} …")
        alone_s.append((await run_engine(bench.arena, engine, alone)).verdict.per_s)
        played = await run_whole_job(bench.arena, whole)
        all_s.append(played.per_s)
        bench.report.info(
            f"Full output, round {number}: {played.per_s:,.0f} orders/s,"
            f" {alone_s[-1]:,.0f} alone ({played.cpu_us}; others took {played.others:.0%})"
        )
        raw.append({"figure": NAME, "round": number, "alone_per_s": alone_s[-1], **asdict(played)})
    row = compare(
        "all four services, full output, against order validation alone",
        "orders/s",
        all_s,
        alone_s,
        GOAL,
        f"{len(whole.expected):,} records for {sizes.whole_orders:,} orders, 50 pharmacies;"
        f" alone: {engine.processes}, together: 4 × Python",
    )
    return Measured([row], raw)
