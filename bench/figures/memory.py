"""Memory of each service, at rest and at full load."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psutil

from bench.follows import whole_job
from bench.plan import Bench
from bench.process import Processes
from bench.result import Goal, Measured, Row, alone
from bench.services import ready, services
from bench.steps import place_orders
from bench.whole import loaded, until_counted

NAME = "memory"
AT_REST = Goal(120, at="most", of="ours", unit="MB")
AT_LOAD = Goal(300, at="most", of="ours", unit="MB")
EVERY_S = 0.5


@dataclass(frozen=True)
class Memory:
    """In MB (10⁶ bytes). PSS counts a page that several processes share in part for each of them."""

    rss: float
    pss: float


async def measure(bench: Bench) -> Measured:
    """At rest is before the first order; at full load is the most until the last is counted."""
    job = whole_job(bench.sizes.patients, bench.sizes.whole_orders)
    bench.report.status("Memory of the four services …")
    place = await loaded(bench.arena, job)
    async with Processes(services(place)) as running:
        await ready(place, running)
        await asyncio.sleep(bench.sizes.rest_s)
        rest = memory(running)
        most = dict(rest)
        sampling = asyncio.create_task(_sample(running, most))
        await place_orders(place, job.orders)
        await until_counted(place, running, job)
        sampling.cancel()
        await asyncio.wait([sampling])
    rows = [_row("at rest", rest, AT_REST), _row("at full load", most, AT_LOAD)]
    return Measured(rows, [*_raw("at rest", rest), *_raw("at full load", most)])


def memory(running: Processes) -> dict[str, Memory]:
    """What each of these uses now."""
    return {name: _memory(pid) for name, pid in running.by_name.items()}


def _memory(pid: int) -> Memory:
    info = psutil.Process(pid).memory_full_info()
    # Only Linux tells the share of what is shared.
    return Memory(info.rss / 1e6, getattr(info, "pss", info.rss) / 1e6)


async def _sample(running: Processes, most: dict[str, Memory]) -> None:
    while True:
        for name, now in memory(running).items():
            most[name] = Memory(max(now.rss, most[name].rss), max(now.pss, most[name].pss))
        await asyncio.sleep(EVERY_S)


def _row(state: str, found: Mapping[str, Memory], goal: Goal) -> Row:
    each = ", ".join(f"{name} {one.rss:.0f} ({one.pss:.0f})" for name, one in found.items())
    figure = f"memory of a service {state}, the largest of four"
    return alone(
        figure, "MB", [max(one.rss for one in found.values())], goal, f"RSS (PSS) in MB: {each}"
    )


def _raw(state: str, found: Mapping[str, Memory]) -> list[dict[str, Any]]:
    return [
        {"figure": NAME, "state": state, "service": name, "rss_mb": one.rss, "pss_mb": one.pss}
        for name, one in found.items()
    ]
