"""Measures a dashboard query with ten million counted lines against one with a hundred thousand.

Ten million lines are a region's in five years, a hundred thousand a practice's in two and a half. A practice
has the same lines a day in both. Both queries ask for one year of the same practice, by month.
"""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from http.client import HTTPConnection
from typing import Any

import orjson

from bench.data.region import directory, practice_agb
from bench.errors import BenchError
from bench.plan import Bench
from bench.process import Processes
from bench.result import Goal, Measured, compare
from bench.services import wait_until_ready
from bench.store import fill_counts, settle
from deploy.local.ports import LOOPBACK
from deploy.local.postgres.databases import ensure_database, owner_dsn, service_dsn
from deploy.local.processes.services import ServiceAddresses, service_program
from schemas.access import Party

NAME = "dashboard"
GOAL = Goal(1.3, at="most")

UNTIL = date(2026, 11, 20)
"""A Friday."""
QUERY = (
    f"/practices/{practice_agb(0)}/orders?by=month"
    f"&from={UNTIL - timedelta(days=364)}&to={UNTIL.isoformat()}"
)


@dataclass(frozen=True)
class Counts:
    """A running metrics service, a manager's token for it, and the number of lines that it has counted."""

    port: int
    token: str = field(repr=False)
    lines: int


async def measure(bench: Bench) -> Measured:
    """Query two processes of metrics in turn, each with its own database."""
    await bench.arena.reset(directory(review_everything=False))
    few_size, many_size = bench.sizes.dashboards
    ports = bench.arena.stack.ports.services
    async with (
        _counts(bench, "metrics_few", ports["metrics"], *few_size) as few,
        _counts(bench, "metrics_many", ports["notification"], *many_size) as many,
    ):
        pairs = [await _round(bench, number, few, many) for number in _rounds(bench)]
    figure = f"a dashboard query with {many.lines:,} counted lines against {few.lines:,}, median"
    row = compare(figure, "ms", [big for big, _ in pairs], [small for _, small in pairs], GOAL)
    raw: list[dict[str, Any]] = [
        {"figure": NAME, "round": number, "many_ms": round(big, 3), "few_ms": round(small, 3)}
        for number, (big, small) in enumerate(pairs, 1)
    ]
    return Measured([row], raw)


def _rounds(bench: Bench) -> range:
    return range(1, bench.sizes.rounds + 1)


async def _round(bench: Bench, number: int, few: Counts, many: Counts) -> tuple[float, float]:
    queries = bench.sizes.queries
    small = await asyncio.to_thread(_median_ms, few, queries)
    big = await asyncio.to_thread(_median_ms, many, queries)
    bench.report.info(
        f"Dashboard, round {number}: {big:.2f} ms with {many.lines:,} lines,"
        f" {small:.2f} ms with {few.lines:,}"
    )
    return big, small


@asynccontextmanager
async def _counts(
    bench: Bench, name: str, port: int, practices: int, days: int
) -> AsyncIterator[Counts]:
    """Run metrics' API on a new database, filled for these numbers of practices and days."""
    stack = bench.arena.stack
    await ensure_database(stack.postgres, name)
    dsn = service_dsn(stack.postgres, name)
    owner = owner_dsn(stack.postgres, name)
    settings = stack.options.service_settings
    servers = ServiceAddresses(
        stack.kafka_as("metrics"), dsn, "json", stack.issuers, owner, settings
    )
    program = service_program("metrics", name, port, "api", servers, stack.data)
    async with Processes([program]) as running:
        # The service makes its tables before it is ready.
        await wait_until_ready(running, name, port)
        bench.report.status(f"Counting the lines of {practices} practices on {days} days …")
        lines = await fill_counts(dsn, practices, UNTIL - timedelta(days=days - 1), UNTIL)
        await settle(stack.postgres, name)
        yield Counts(port, stack.token(Party.MANAGER, practice=practice_agb(0)), lines)


def _median_ms(counts: Counts, queries: int) -> float:
    """Send queries one after the other; return the median time in ms. Raises BenchError for a wrong answer."""
    connection = HTTPConnection(LOOPBACK, counts.port, timeout=30)
    headers = {"Authorization": f"Bearer {counts.token}"}
    took_ms: list[float] = []
    for _ in range(queries):
        began_s = time.perf_counter()
        connection.request("GET", QUERY, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        took_ms.append((time.perf_counter() - began_s) * 1000)
        if answer.status != 200 or orjson.loads(body)["totals"]["lines"] == 0:
            raise BenchError(f"metrics answered {answer.status}: {body[:200]!r}")
    connection.close()
    return statistics.median(took_ms)
