"""`herhaal rebuild` on a running stack, and orders that are placed meanwhile."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

from cli.verify.command import Options, gather
from deploy.local import LocalStack
from deploy.local.postgres.databases import owner_dsn
from runtime.postgres.connection import Connection
from schemas import topics
from schemas.records.orders import OrderPlace
from tests.harness.kafka import producer, send, sent
from tests.harness.made import (
    FREELY,
    METFORMINE,
    OMEPRAZOL,
    a_cancellation,
    a_patient,
    an_import,
    an_order,
    entry,
)
from tests.integration.operator import Said, herhaal
from verify.at_rest import wait_until_at_rest
from verify.checker import check

ROOT = Path(__file__).parents[3]
REQUESTS = topics.ORDERS_REQUESTS.name


@dataclass(frozen=True)
class Rebuilt:
    """A rebuild's output and figures."""

    said: Said
    figures: dict[str, Any]

    def difference(self, table: str) -> tuple[int, int, int]:
        """Rows added, changed and gone."""
        found = self.figures["tables"][table]
        return found["added"], found["changed"], found["gone"]


async def rebuild(stack: LocalStack, service: str, folder: Path, *options: str) -> Rebuilt:
    """Run `herhaal rebuild` on the stack; figures are empty when it was refused."""
    file = folder / "figures.json"
    file.unlink(missing_ok=True)
    where = ("--postgres", stack.postgres, "--json", str(file))
    said = await herhaal(stack, "rebuild", service, *where, *options)
    return Rebuilt(said, json.loads(file.read_bytes()) if file.exists() else {})


async def started(stack: LocalStack, service: str, *options: str) -> Process:
    """Start `herhaal rebuild` in another process."""
    where = ("--kafka", stack.kafka, "--postgres", stack.postgres)
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli", "rebuild", service, *where, *options),
        cwd=ROOT,
        stdout=PIPE,
        stderr=STDOUT,
    )


@asynccontextmanager
async def database(stack: LocalStack, service: str) -> AsyncIterator[Connection]:
    """Connect to a service's database, as its owner."""
    db = await asyncpg.connect(owner_dsn(stack.postgres, service))
    try:
        yield db
    finally:
        await db.close()


async def at_rest(stack: LocalStack) -> None:
    """Wait until every record is handled."""
    assert await wait_until_at_rest(stack.kafka, stack.postgres, 60) == []


async def violations(stack: LocalStack) -> list[str]:
    """The violations that `herhaal verify` reports, without those by other tests' foreign records."""
    left, dump = await gather(Options(stack.kafka, stack.postgres, wait_s=60))
    assert left == []
    verdict = check(None, dump)
    return [
        f"{v.rule}: {v.what} ({v.where})" for v in verdict.violations if v.rule != "foreign_record"
    ]


async def patients(stack: LocalStack, number: int) -> list[str]:
    """Send an overview of this many new patients."""
    found = [a_patient() for _ in range(number)]
    imports = [
        an_import(patient, entry(METFORMINE, **FREELY), entry(OMEPRAZOL, **FREELY))
        for patient in found
    ]
    await send(stack.kafka, [sent(topics.MEDICATION_CHANGES.name, one) for one in imports])
    return found


@asynccontextmanager
async def ordering(
    stack: LocalStack, of: list[str], per_s: float
) -> AsyncIterator[list[OrderPlace]]:
    """Place orders of these patients while the body runs, every seventh cancelled; yields the orders."""
    placed: list[OrderPlace] = []
    stop = asyncio.Event()
    sending = asyncio.create_task(_place_orders(stack, of, per_s, placed, stop))
    try:
        yield placed
    finally:
        stop.set()
        await sending


async def _place_orders(
    stack: LocalStack, of: list[str], per_s: float, placed: list[OrderPlace], stop: asyncio.Event
) -> None:
    async with producer(stack.kafka) as kafka:
        while not stop.is_set():
            order = an_order(of[len(placed) % len(of)], METFORMINE, OMEPRAZOL)
            placed.append(order)
            bodies = [order, *([a_cancellation(order)] if len(placed) % 7 == 0 else [])]
            for record in (sent(REQUESTS, body) for body in bodies):
                await kafka.send(
                    record.topic, key=record.key, value=record.value, headers=list(record.headers)
                )
            await asyncio.sleep(1 / per_s)
