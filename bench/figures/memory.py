"""Measures the memory of each service, at rest and at full load."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psutil

from bench.plan import Bench
from bench.process import Processes
from bench.result import Goal, Measured, Row, alone
from bench.services import services, wait_until_services_ready
from bench.steps import place_orders
from bench.whole import start_context, wait_until_counted
from bench.whole_job import whole_job

NAME = "memory"
AT_REST = Goal(120, at="most", of="ours", unit="MB")
AT_LOAD = Goal(300, at="most", of="ours", unit="MB")
EVERY_S = 0.5


@dataclass(frozen=True)
class Memory:
    """Memory in MB (10⁶ bytes). PSS divides a shared page among the processes that share it."""

    rss: float
    pss: float


async def measure(bench: Bench) -> Measured:
    """Measure at rest, before the first order, and the maximum until the last order is counted."""
    job = whole_job(bench.sizes.whole_orders)
    bench.report.status("Memory of the four services …")
    context = await start_context(bench.arena, job)
    async with Processes(services(context)) as running:
        await wait_until_services_ready(context, running)
        await asyncio.sleep(bench.sizes.rest_s)
        rest = memory(running)
        most = dict(rest)
        sampling = asyncio.create_task(_sample(running, most))
        await place_orders(context, job.orders)
        await wait_until_counted(context, running, job)
        sampling.cancel()
        await asyncio.wait([sampling])
    rows = [_row("at rest", rest, AT_REST), _row("at full load", most, AT_LOAD)]
    return Measured(rows, [*_raw("at rest", rest), *_raw("at full load", most)])


def memory(running: Processes) -> dict[str, Memory]:
    """Read the memory of each process."""
    return {name: _memory(pid) for name, pid in running.by_name.items()}


def _memory(pid: int) -> Memory:
    info = psutil.Process(pid).memory_full_info()
    # Only Linux has PSS.
    return Memory(info.rss / 1e6, getattr(info, "pss", info.rss) / 1e6)


async def _sample(running: Processes, most: dict[str, Memory]) -> None:
    while True:
        for name, now in memory(running).items():
            most[name] = Memory(max(now.rss, most[name].rss), max(now.pss, most[name].pss))
        await asyncio.sleep(EVERY_S)


def _row(state: str, usage: Mapping[str, Memory], goal: Goal) -> Row:
    each = ", ".join(f"{name} {one.rss:.0f} ({one.pss:.0f})" for name, one in usage.items())
    figure = f"memory of a service {state}, the largest of four"
    return alone(
        figure, "MB", [max(one.rss for one in usage.values())], goal, f"RSS (PSS) in MB: {each}"
    )


def _raw(state: str, usage: Mapping[str, Memory]) -> list[dict[str, Any]]:
    return [
        {"figure": NAME, "state": state, "service": name, "rss_mb": one.rss, "pss_mb": one.pss}
        for name, one in usage.items()
    ]
