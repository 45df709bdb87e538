"""The servers on which all engines run, and their reset before each run."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from bench import store
from bench.data.region import (
    pharmacy_records,
    pharmacy_topics,
    practice_records,
    system_records,
    system_topics,
)
from bench.kafka import fill, recreate_topics
from deploy.local import LocalStack, Report, StackOptions
from deploy.local.ports import SERVICES, free_ports
from deploy.local.postgres.databases import ensure_databases
from deploy.local.waiting import run_concurrently
from runtime.kafka.access_control import apply_access
from schemas.grants import services_grants
from schemas.records.directory import Directory
from schemas.topics import ALL, DIRECTORY_PHARMACIES, DIRECTORY_PRACTICES, DIRECTORY_SYSTEMS

_REBALANCE_DELAY = {"group.initial.rebalance.delay.ms": "1500"}
"""Lets an engine's members join in one rebalance, as in production.

With 0, as in the local stack, the first member gets all partitions and the others wait for a second rebalance.
"""


@dataclass
class Arena:
    """One Kafka and one PostgreSQL, in a temporary folder. `timed` is whether rates are measured."""

    stack: LocalStack
    folder: Path
    report: Report
    timed: bool
    _runs: int = field(default=0)

    async def reset(self, region: Directory) -> Path:
        """Empty all topics and databases, publish the region, and return the folder of a new run.

        Flushes earlier runs' data to disk first, so that this does not slow down the next run.
        """
        topics = (*ALL, *pharmacy_topics(region), *system_topics(region))
        await recreate_topics(self.stack.kafka, topics)
        await self._reset_databases()
        await fill(self.stack.kafka, DIRECTORY_PRACTICES.name, practice_records(region))
        await fill(self.stack.kafka, DIRECTORY_PHARMACIES.name, pharmacy_records(region))
        await fill(self.stack.kafka, DIRECTORY_SYSTEMS.name, system_records(region))
        await asyncio.to_thread(os.sync)
        self._runs += 1
        folder = self.folder / f"run-{self._runs}"
        folder.mkdir()
        return folder

    async def settle(self, service: str) -> None:
        """Do PostgreSQL's deferred work after a large load now, in a service's database."""
        await store.settle(self.stack.postgres, service)

    async def _reset_databases(self) -> None:
        await store.drop_databases(self.stack.postgres, SERVICES)
        self.stack.databases = await ensure_databases(self.stack.postgres)


KafkaDoor = Literal["open", "scram", "tls"]
"""How Kafka lets clients in: all of them, as peers need it; by their passwords; by these over TLS."""


@asynccontextmanager
async def arena(
    folder: Path, report: Report, *, timed: bool = True, door: KafkaDoor = "open"
) -> AsyncIterator[Arena]:
    """Start servers in this folder, and stop them at the end. Without `timed`, waits are short.

    Raises StackError when they cannot be started.
    """
    options = replace(
        StackOptions.at(folder / "stack", free_ports()),
        kafka_settings=_REBALANCE_DELAY if timed else {},
        open_kafka=door == "open",
        tls=door == "tls",
    )
    async with LocalStack(options, report) as stack:
        await run_concurrently(stack.start_servers(), stack.start_issuer())
        await stack.services_ready()
        if door != "open":
            await apply_access(stack.kafka, {*services_grants()}, prune=False)
        yield Arena(stack, folder, report, timed)
