"""Run a rebuild: build the new tables, compare them with the running ones, catch up, switch."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition

from runtime.errors import CannotRun
from runtime.loop.batch import Where
from runtime.messages.message import Message
from runtime.postgres import migrations
from runtime.postgres.migrations import Migration
from runtime.rebuild import reading, shadow
from runtime.rebuild.build_loop import BuildLoop
from runtime.rebuild.checks import (
    require_complete_topics,
    require_no_loss,
    require_same_cluster,
    require_unchanged,
)
from runtime.rebuild.declaration import Difference, Rebuild
from runtime.rebuild.part import Part, Target
from runtime.rebuild.parts import build_parts, distribute
from runtime.rebuild.report import Bulk, Progress, Result
from schemas.topics import Topic

PAUSE_RECORDS = 2000
"""With at most this lag behind the running service, the rest is built during a pause of its saves."""

MAX_ROUNDS = 50
"""A rebuild that has not caught up after this many rounds is slower than the running service."""

PAUSE_ATTEMPTS = 20
"""How often a pause is tried while other sessions lock the tables."""

RETRY_AFTER_S = 2.0

MIN_RECORDS_PER_PROCESS = 50_000
"""A process for fewer records would take longer to start than it saves."""

MAX_PROCESSES = 4

Targets: TypeAlias = Mapping[TopicPartition, int]


@dataclass(frozen=True)
class Options:
    """Options of a rebuild. `database` is the DSN of the service's database, as its owner or an administrator.

    `accept_loss` switches even when rows are lost whose records the topics no longer have. `compare_only`
    does not switch. `processes` build the bulk; 0 means one per core, four at most.
    """

    kafka: str = field(repr=False)
    database: str = field(repr=False)
    accept_loss: bool = False
    compare_only: bool = False
    processes: int = 0


async def run(rebuild: Rebuild[Any], options: Options, progress: Progress) -> Result:
    """Rebuild a service's projections, compare them with the running tables, and switch.

    Raises:
        CannotRun: the rebuild is refused or cannot be done; the running tables are unchanged.
        KafkaError, OSError, TimeoutError, asyncpg.PostgresError: a server cannot be reached or refuses;
            the running tables are unchanged.
    """
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(reading.consumer(options.kafka))
        db = await _connect(stack, options)
        if not await shadow.try_lock(db):
            raise CannotRun(f"another rebuild of {rebuild.service} is running")
        stack.push_async_callback(_drop, db)
        pause_db, snapshot_db = await _connect(stack, options), await _connect(stack, options)
        return await _Run(rebuild, options, progress, client, db, pause_db, snapshot_db).run()


async def _connect(stack: AsyncExitStack, options: Options) -> "asyncpg.Connection[Any]":
    db = await shadow.connect(options.database)
    stack.push_async_callback(db.close)
    return db


async def _drop(db: "asyncpg.Connection[Any]") -> None:
    # When the server cannot be reached, the next rebuild of this database drops the schema.
    with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        await shadow.drop(db)


@dataclass
class _Run:
    """One rebuild. Building, a pause and a snapshot are separate transactions, each with its connection."""

    rebuild: Rebuild[Any]
    options: Options
    progress: Progress
    client: AIOKafkaConsumer
    db: "asyncpg.Connection[Any]"
    pause_db: "asyncpg.Connection[Any]"
    snapshot_db: "asyncpg.Connection[Any]"
    records: int = 0
    epoch: int = field(default_factory=time.time_ns)
    """Unique to this rebuild, so that a process that outlives it is fenced by the next one."""

    async def run(self) -> Result:
        began_s = time.monotonic()
        targets = await self._begin()
        build = BuildLoop(
            self.rebuild,
            self.rebuild.builder(await reading.directory(self.options.kafka, self.rebuild)),
            self.client,
            self.db,
            self.epoch,
            await self._skipped(),
            self._built,
        )
        bulk = await self._bulk(build, targets)
        self.progress.begin("Completing", 0)
        await self.rebuild.complete(self.db, self._read)
        build.skipped = await self._skipped()
        differences = await self._compare(build)
        if not self.options.compare_only:
            self._require_switchable(differences)
            await self._switch(build)
        return Result(
            not self.options.compare_only,
            self.records,
            time.monotonic() - began_s,
            bulk,
            differences,
            dict(build.refused),
        )

    async def _begin(self) -> Targets:
        """Check and create the new tables; return the running service's offsets, up to which the bulk goes."""
        inputs, migrated = self.rebuild.inputs, _migrations(self.rebuild)
        await shadow.require_same_migrations(self.db, migrated)
        positions = await shadow.running_positions(self.db, self._names)
        await require_same_cluster(
            self.options.kafka, await shadow.stored_cluster(self.db), self.client, positions, inputs
        )
        ranges = await reading.offset_ranges(
            self.client, [TopicPartition(t.name, n) for t in inputs for n in range(t.partitions)]
        )
        if not self.options.accept_loss:
            require_complete_topics(inputs, ranges)
        await shadow.create(self.db, migrated)
        targets = {tp: position.next_offset for tp, position in positions.items()}
        firsts = {tp: min(r.first, targets.get(tp, r.first)) for tp, r in ranges.items()}
        await shadow.store_start(self.db, firsts, self.epoch)
        await self.rebuild.prepare(self.db)
        return targets

    async def _bulk(self, build: BuildLoop[Any], targets: Targets) -> Bulk:
        began_s = time.monotonic()
        sizes = await self._lags(targets)
        total = sum(sizes.values())
        self.progress.begin("Building", total)
        default = min(os.cpu_count() or 1, MAX_PROCESSES, total // MIN_RECORDS_PER_PROCESS)
        processes = max(1, min(self.options.processes or default, len(sizes)))
        if processes == 1:
            await build.up_to(targets)
        else:
            sized = [(Target(tp.topic, tp.partition, targets[tp]), n) for tp, n in sizes.items()]
            parts = [self._part(part, build.skipped) for part in distribute(sized, processes)]
            build.refused += await build_parts(parts, self._built)
        return Bulk(total, time.monotonic() - began_s, processes)

    def _part(self, targets: list[Target], skipped: frozenset[Where]) -> Part:
        return Part(
            self.rebuild.module,
            self.options.kafka,
            self.options.database,
            self.epoch,
            targets,
            list(skipped),
        )

    async def _compare(self, build: BuildLoop[Any]) -> list[Difference]:
        """Compare the new tables with the running ones at the same progress."""
        snapshot = self.snapshot_db.transaction(isolation="repeatable_read")

        async def take_snapshot() -> None:
            await snapshot.start()
            # PostgreSQL takes the snapshot at the first query of the transaction.
            await shadow.built_offsets(self.snapshot_db)

        await self._during_pause(build, take_snapshot)
        self.progress.begin("Comparing", 0)
        await self.rebuild.carry_over(self.snapshot_db)
        differences = [
            await shadow.difference(self.snapshot_db, table, query)
            for table, query in self.rebuild.tables.items()
        ]
        await snapshot.commit()
        return differences

    def _require_switchable(self, differences: Sequence[Difference]) -> None:
        require_unchanged(self.rebuild, differences)
        if not self.options.accept_loss:
            require_no_loss(self.rebuild, differences)

    async def _switch(self, build: BuildLoop[Any]) -> None:
        await shadow.analyze(self.db, self.rebuild.tables)
        tables, migrated = self.rebuild.tables, _migrations(self.rebuild)
        await self._during_pause(build, lambda: shadow.switch(self.pause_db, tables, migrated))

    async def _during_pause(
        self, build: BuildLoop[Any], act: Callable[[], Awaitable[None]]
    ) -> None:
        """Run `act` while the running service saves nothing and the new tables have its progress.

        Raises shadow.InUse when other sessions lock the tables in every attempt.
        """
        for _ in range(PAUSE_ATTEMPTS):
            await self._catch_up(build)
            try:
                async with shadow.paused(self.pause_db):
                    await build.up_to(await self._running_offsets())
                    await act()
                return
            except asyncpg.LockNotAvailableError:
                await asyncio.sleep(RETRY_AFTER_S)
        holders = await shadow.lock_holders(self.db, self.rebuild.tables)
        raise shadow.InUse(f"the tables are always in use, by {', '.join(holders) or 'saves'}")

    async def _catch_up(self, build: BuildLoop[Any]) -> None:
        """Build until the lag behind the running service is at most `PAUSE_RECORDS`."""
        for _ in range(MAX_ROUNDS):
            targets = await self._running_offsets()
            lag = sum((await self._lags(targets)).values())
            if lag <= PAUSE_RECORDS:
                return
            self.progress.begin("Catching up", lag)
            await build.up_to(targets)
        raise CannotRun(
            "the service handles records faster than they are rebuilt; try at a quieter time"
        )

    async def _lags(self, targets: Targets) -> dict[TopicPartition, int]:
        """How many offsets the new tables are behind these, by partition that lags."""
        done = await shadow.built_offsets(self.db)
        return {tp: end - done[tp] for tp, end in targets.items() if end > done[tp]}

    async def _running_offsets(self) -> Targets:
        positions = await shadow.running_positions(self.db, self._names)
        return {tp: position.next_offset for tp, position in positions.items()}

    @property
    def _names(self) -> list[str]:
        return [topic.name for topic in self.rebuild.inputs]

    async def _skipped(self) -> frozenset[Where]:
        if not self.rebuild.skip_dead_letters:
            return frozenset()
        return await reading.dead_letter_origins(self.options.kafka, self.rebuild.service)

    def _read(self, topic: Topic) -> AsyncIterator[Sequence[Message[Any]]]:
        return reading.messages(self.options.kafka, topic)

    def _built(self, records: int) -> None:
        self.records += records
        self.progress.built(records)


def _migrations(rebuild: Rebuild[Any]) -> list[Migration]:
    return [
        *migrations.read("runtime", migrations.RUNTIME),
        *migrations.read(rebuild.service, rebuild.migrations),
    ]
