"""The servers on which all engines run, and how they are made as new before each run."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from bench import store
from bench.data.region import pharmacy_records, pharmacy_topics, practice_records
from bench.kafka import fill, renew
from deploy.local import LocalStack, Report, StackOptions
from deploy.local.ports import SERVICES, free_ports
from deploy.local.postgres.databases import ensure_databases
from schemas.records.directory import Directory
from schemas.topics import ALL, DIRECTORY_PHARMACIES, DIRECTORY_PRACTICES

_TOGETHER = {"group.initial.rebalance.delay.ms": "1500"}
"""An engine's members start together, as in production; the local stack has it at 0, to start at once.

With 0 the first one gets every partition, and the others wait until it hears of them.
"""


@dataclass
class Arena:
    """One Kafka and one PostgreSQL, in a folder that goes away; `timed` when runs are for their times."""

    stack: LocalStack
    folder: Path
    report: Report
    timed: bool
    _runs: int = field(default=0)

    async def anew(self, region: Directory) -> Path:
        """Topics without a record, databases without a table, this region; the folder of a new run.

        What earlier runs left to be written to disk is written first, so that none pays for another.
        """
        await renew(self.stack.kafka, [*ALL, *pharmacy_topics(region)])
        await self._databases_anew()
        await fill(self.stack.kafka, DIRECTORY_PRACTICES.name, practice_records(region))
        await fill(self.stack.kafka, DIRECTORY_PHARMACIES.name, pharmacy_records(region))
        await asyncio.to_thread(os.sync)
        self._runs += 1
        folder = self.folder / f"run-{self._runs}"
        folder.mkdir()
        return folder

    async def settle(self, service: str) -> None:
        """Have what a large load leaves to be done later in a service's database done now."""
        await store.settle(self.stack.postgres, self.stack.databases[service])

    async def _databases_anew(self) -> None:
        await store.drop_databases(self.stack.postgres, SERVICES)
        self.stack.databases = await ensure_databases(self.stack.postgres)


@asynccontextmanager
async def arena(folder: Path, report: Report, *, timed: bool = True) -> AsyncIterator[Arena]:
    """Servers in this folder, stopped at the end; not `timed`, nobody waits long for anything.

    Raises StackError when they cannot be started.
    """
    options = replace(
        StackOptions.at(folder / "stack", free_ports()), kafka_settings=_TOGETHER if timed else {}
    )
    async with LocalStack(options, report) as stack:
        await stack.start_servers()
        yield Arena(stack, folder, report, timed)
