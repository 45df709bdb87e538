"""Measures order validation: every engine does the same job on the same data, in turn."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from bench.engines.all import engines, is_ours
from bench.engines.engine import Engine
from bench.plan import Bench
from bench.result import Goal, Measured, Row, compare, missing
from bench.validation import EngineRun, Job, job, run_engine

NAME = "validation"

GOALS = {
    "quix": Goal(3),
    "naive": Goal(40),
    "raw": Goal(0.6),
}
"""By peer. Kafka Streams has none (decision 11); its ratio should stay within its present spread."""

UNIT = "orders/s"


async def measure(bench: Bench) -> Measured:
    """Measure each size. The very first run warms the servers and is not counted."""
    chosen, absent = await _available(bench)
    rows: list[Row] = []
    raw: list[dict[str, Any]] = []
    for count in bench.sizes.orders:
        bench.report.status(f"Making {count:,} orders …")
        whole = job(count)
        if not raw and bench.sizes.warm_up:
            await run_engine(bench.arena, engines(bench.report)["raw"], whole)
        if raw:
            chosen = [engine for engine in chosen if engine.name in bench.sizes.later_engines]
        played = await _rounds(bench, chosen, whole)
        raw += [_raw(count, round_, run) for round_, runs in enumerate(played, 1) for run in runs]
        rows += _rows(played, {engine.name: engine for engine in chosen}, count)
    rows += [
        missing(f"order validation against {engine.title}", UNIT, GOALS.get(engine.name), why)
        for engine, why in absent
    ]
    return Measured(rows, raw)


async def _available(bench: Bench) -> tuple[list[Engine], list[tuple[Engine, str]]]:
    """List the engines that can run here, and those that cannot, with the reason."""
    all_engines = engines(bench.report)
    chosen: list[Engine] = []
    absent: list[tuple[Engine, str]] = []
    for engine in map(all_engines.__getitem__, bench.sizes.engines):
        why = await engine.available()
        if why is None:
            chosen.append(engine)
        else:
            absent.append((engine, why))
            bench.report.info(f"{engine.title} cannot be measured: {why}")
    return chosen, absent


async def _rounds(bench: Bench, chosen: Sequence[Engine], whole: Job) -> list[list[EngineRun]]:
    """Run A B C, A B C, …, so that other load on the machine affects all engines alike."""
    played: list[list[EngineRun]] = []
    for number in range(1, bench.sizes.rounds + 1):
        played.append([])
        for engine in chosen:
            where = f"{len(whole.orders):,} orders, round {number} of {bench.sizes.rounds}"
            bench.report.status(f"Order validation, {where}: {engine.title} …")
            run = await run_engine(bench.arena, engine, whole)
            played[-1].append(run)
            bench.report.info(_log_line(where, engine, run))
    return played


def _log_line(where: str, engine: Engine, run: EngineRun) -> str:
    cpu = ", ".join(f"{name} {used:.0f}" for name, used in run.cpu_us.items()) or "–"
    return (
        f"{where}: {engine.title} {run.verdict.per_s:,.0f} orders/s"
        f" (µs of processor an order: {cpu}; others took {run.others:.0%})"
    )


def best_of_ours(played: Sequence[Sequence[EngineRun]]) -> str | None:
    """Name our engine with the highest median rate."""
    rates: dict[str, list[float]] = {}
    for runs in played:
        for run in runs:
            if is_ours(run.engine):
                rates.setdefault(run.engine, []).append(run.verdict.per_s)
    return max(rates, key=lambda name: statistics.median(rates[name])) if rates else None


def _rows(
    played: Sequence[Sequence[EngineRun]], by_name: Mapping[str, Engine], count: int
) -> list[Row]:
    ours = best_of_ours(played)
    if ours is None:
        return []
    rates = {name: [_rate(runs, name) for runs in played] for name in by_name}
    note = f"ours: {by_name[ours].processes}"
    return [
        compare(
            f"order validation against {by_name[name].title}, {count:,} orders",
            UNIT,
            rates[ours],
            rates[name],
            GOALS.get(name),
            f"{note}; peer: {by_name[name].processes}, {by_name[name].promise}",
        )
        for name in by_name
        if name != ours
    ]


def _rate(runs: Sequence[EngineRun], name: str) -> float:
    return next(run.verdict.per_s for run in runs if run.engine == name)


def _raw(count: int, round_: int, run: EngineRun) -> dict[str, Any]:
    verdict = asdict(run.verdict)
    del verdict["first_ms"], verdict["last_ms"]
    return {
        "figure": NAME,
        "round": round_,
        "engine": run.engine,
        "job": count,
        "load_s": round(run.load_s, 2),
        "first_output_s": round(run.first_output_s, 2),
        "cpu_us": run.cpu_us,
        "others": run.others,
        **verdict,
    }
