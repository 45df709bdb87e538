"""Services, Kafka and PostgreSQL started in any order, while clients send from the start."""

import asyncio
from collections.abc import Sequence
from itertools import permutations
from pathlib import Path

import httpx
import pytest

from deploy.local import LocalStack
from samples.callers import Permitted
from schemas.topics import SERVICES
from tests.faults.load import Load
from tests.faults.rows import Judge
from tests.faults.watch import now, watching
from tests.harness.kafka import eventually

PER_S = 40.0
STOPS_S = 15.0

PARTS = {"services": SERVICES, "Kafka": ("kafka-1",), "PostgreSQL": ("postgres",)}

SHORT = (("services", "Kafka", "PostgreSQL"), ("PostgreSQL", "services", "Kafka"))
"""The short form: services before both servers, and services between them. `--soak` takes all six orders."""


@pytest.mark.timeout(600)
async def test_services_kafka_and_postgresql_start_in_any_order(
    disturbed: LocalStack, judge: Judge, tmp_path: Path, soak: bool
) -> None:
    for order in permutations(PARTS) if soak else SHORT:
        history = tmp_path / f"{'-'.join(order)}.jsonl"
        load = Load(disturbed.endpoints, Permitted(disturbed.token), history)
        for part in ("services", "Kafka", "PostgreSQL"):
            await asyncio.gather(*(disturbed.stop(name, STOPS_S) for name in PARTS[part]))
        async with load.running(PER_S):
            recovery_s = await _started(disturbed, order)
        row = await judge.judge(load, f"start: {', '.join(order)}", "all", recovery_s)
        assert row.clean
        assert row.acknowledged > 0
        assert {answer.status for answer in load.answers} <= {200, 202, 404, 503, None}


async def _started(stack: LocalStack, order: Sequence[str]) -> float:
    """Start the parts in this order; return the seconds from the last one's start to the first decision."""
    for number, part in enumerate(order):
        since = now()
        if part == "services":
            await asyncio.gather(*(stack.process(name).start() for name in SERVICES))
            missing = {"Kafka", "PostgreSQL"} - set(order[:number])
            await asyncio.gather(*(_lives_and_waits(stack, name, missing) for name in SERVICES))
        else:
            await asyncio.gather(*(stack.start(name) for name in PARTS[part]))
    async with watching(stack) as watch:
        await stack.services_ready()
        return await watch.recovery(since)


async def _lives_and_waits(stack: LocalStack, service: str, missing: set[str]) -> None:
    """Wait until the service is alive, and `/readyz` names one of the missing servers if there are any."""
    url = stack.endpoints[service]

    async def look() -> tuple[bool, str]:
        try:
            async with httpx.AsyncClient() as http:
                lives = await http.get(f"{url}/livez")
                ready = await http.get(f"{url}/readyz")
        except httpx.ConnectError:
            return False, ""
        return lives.is_success, " ".join(ready.json()["problems"])

    def is_right(seen: tuple[bool, str]) -> bool:
        lives, problems = seen
        return lives and (not missing or any(name in problems for name in missing))

    await eventually(look, is_right)
