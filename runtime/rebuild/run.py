"""A rebuild from beginning to end: build beside, compare, come close, switch."""

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
from runtime.rebuild.building import Building
from runtime.rebuild.checks import (
    require_from_the_start,
    require_kept,
    require_nothing_lost,
    require_same_kafka,
)
from runtime.rebuild.declared import Difference, Rebuild
from runtime.rebuild.part import Part, Target
from runtime.rebuild.parts import build_parts, shared
from runtime.rebuild.report import Bulk, Progress, Result
from schemas.topics import Topic

CLOSE = 2000
"""So few records behind the running service, the rest is built in a pause of its saves."""

ROUNDS = 50
"""A rebuild that does not come close in so many rounds is slower than the running service."""

ATTEMPTS = 20
"""How often a pause is tried while others hold the tables."""

AGAIN_S = 2.0

WORTH_A_PROCESS = 50_000
"""A process for fewer records would take longer to start than it saves."""

MOST_PROCESSES = 4

Targets: TypeAlias = Mapping[TopicPartition, int]


@dataclass(frozen=True)
class Options:
    """Where and how; `database` is the DSN of the service's database, as its owner or an administrator.

    `accept_loss` switches even if rows go that the topics no longer tell of; `compare_only` leaves the
    running tables as they are; `processes` build the bulk, 0 is one for each core, four at most.
    """

    kafka: str
    database: str
    accept_loss: bool = False
    compare_only: bool = False
    processes: int = 0


async def run(rebuild: Rebuild[Any], options: Options, progress: Progress) -> Result:
    """Build a service's projections anew and switch them in.

    Raises:
        CannotRun: it cannot or may not be done; the running tables are as they were.
        KafkaError, OSError, TimeoutError, asyncpg.PostgresError: a server is away, or refuses; likewise.
    """
    async with AsyncExitStack() as held:
        client = await held.enter_async_context(reading.consumer(options.kafka))
        db = await _connected(held, options)
        if not await shadow.alone(db):
            raise CannotRun(f"another rebuild of {rebuild.service} is running")
        held.push_async_callback(_drop, db)
        gate, look = await _connected(held, options), await _connected(held, options)
        return await _Run(rebuild, options, progress, client, db, gate, look).run()


async def _connected(held: AsyncExitStack, options: Options) -> "asyncpg.Connection[Any]":
    db = await shadow.connect(options.database)
    held.push_async_callback(db.close)
    return db


async def _drop(db: "asyncpg.Connection[Any]") -> None:
    # What stays because the server is away, the next rebuild of this database removes.
    with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        await shadow.drop(db)


@dataclass
class _Run:
    """One rebuild. What is built, a pause and a snapshot are three transactions, so three connections."""

    rebuild: Rebuild[Any]
    options: Options
    progress: Progress
    client: AIOKafkaConsumer
    db: "asyncpg.Connection[Any]"
    gate: "asyncpg.Connection[Any]"
    look: "asyncpg.Connection[Any]"
    records: int = 0
    epoch: int = field(default_factory=time.time_ns)
    """As no other rebuild's: a process that outlives its own cannot write into the next one."""

    async def run(self) -> Result:
        began_s = time.monotonic()
        targets = await self._begin()
        building = Building(
            self.rebuild,
            self.rebuild.builder(await reading.directory(self.options.kafka, self.rebuild)),
            self.client,
            self.db,
            self.epoch,
            await self._skipped(),
            self._built,
        )
        bulk = await self._bulk(building, targets)
        self.progress.begin("Completing", 0)
        await self.rebuild.complete(self.db, self._read)
        building.skipped = await self._skipped()
        differences = await self._compare(building)
        if not self.options.compare_only:
            self._require_fit(differences)
            await self._switch(building)
        return Result(
            not self.options.compare_only,
            self.records,
            time.monotonic() - began_s,
            bulk,
            differences,
            dict(building.refused),
        )

    async def _begin(self) -> Targets:
        """Empty tables, and how far the bulk goes: to where the running service is now."""
        inputs, migrated = self.rebuild.inputs, _migrations(self.rebuild)
        await shadow.require_same(self.db, migrated)
        positions = await shadow.running(self.db, self._names)
        await require_same_kafka(
            self.options.kafka, await shadow.cluster(self.db), self.client, positions, inputs
        )
        spans = await reading.spans(
            self.client, [TopicPartition(t.name, n) for t in inputs for n in range(t.partitions)]
        )
        if not self.options.accept_loss:
            require_from_the_start(inputs, spans)
        await shadow.make(self.db, migrated)
        targets = {tp: position.next_offset for tp, position in positions.items()}
        firsts = {tp: min(span.first, targets.get(tp, span.first)) for tp, span in spans.items()}
        await shadow.begin(self.db, firsts, self.epoch)
        await self.rebuild.prepare(self.db)
        return targets

    async def _bulk(self, building: Building[Any], targets: Targets) -> Bulk:
        began_s = time.monotonic()
        sizes = await self._behind(targets)
        total = sum(sizes.values())
        self.progress.begin("Building", total)
        worth = min(os.cpu_count() or 1, MOST_PROCESSES, total // WORTH_A_PROCESS)
        processes = max(1, min(self.options.processes or worth, len(sizes)))
        if processes == 1:
            await building.up_to(targets)
        else:
            sized = [(Target(tp.topic, tp.partition, targets[tp]), n) for tp, n in sizes.items()]
            parts = [self._part(part, building.skipped) for part in shared(sized, processes)]
            building.refused += await build_parts(parts, self._built)
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

    async def _compare(self, building: Building[Any]) -> list[Difference]:
        """Hold what was built against the running tables, both of the same progress."""
        snapshot = self.look.transaction(isolation="repeatable_read")

        async def take_snapshot() -> None:
            await snapshot.start()
            # The first query of a transaction takes its snapshot.
            await shadow.built(self.look)

        await self._in_a_pause(building, take_snapshot)
        self.progress.begin("Comparing", 0)
        await self.rebuild.keep(self.look)
        found = [
            await shadow.difference(self.look, table, query)
            for table, query in self.rebuild.tables.items()
        ]
        await snapshot.commit()
        return found

    def _require_fit(self, differences: Sequence[Difference]) -> None:
        require_kept(self.rebuild, differences)
        if not self.options.accept_loss:
            require_nothing_lost(self.rebuild, differences)

    async def _switch(self, building: Building[Any]) -> None:
        await shadow.analyze(self.db, self.rebuild.tables)
        tables, migrated = self.rebuild.tables, _migrations(self.rebuild)
        await self._in_a_pause(building, lambda: shadow.move(self.gate, tables, migrated))

    async def _in_a_pause(
        self, building: Building[Any], act: Callable[[], Awaitable[None]]
    ) -> None:
        """Act while the running service saves nothing, and what was built is as far as it is.

        Raises shadow.InUse when others hold the tables all the time.
        """
        for _ in range(ATTEMPTS):
            await self._come_close(building)
            try:
                async with shadow.paused(self.gate):
                    await building.up_to(await self._running())
                    await act()
                return
            except asyncpg.LockNotAvailableError:
                await asyncio.sleep(AGAIN_S)
        holders = await shadow.holders(self.db, self.rebuild.tables)
        raise shadow.InUse(
            f"the tables are in use all the time, by {', '.join(holders) or 'saves'}"
        )

    async def _come_close(self, building: Building[Any]) -> None:
        """Build on until the running service is nearly reached."""
        for _ in range(ROUNDS):
            targets = await self._running()
            behind = sum((await self._behind(targets)).values())
            if behind <= CLOSE:
                return
            self.progress.begin("Catching up", behind)
            await building.up_to(targets)
        raise CannotRun(
            "the service handles records faster than they are rebuilt; try when it is calmer"
        )

    async def _behind(self, targets: Targets) -> dict[TopicPartition, int]:
        """How many offsets what was built is behind these, where it is."""
        done = await shadow.built(self.db)
        return {tp: end - done[tp] for tp, end in targets.items() if end > done[tp]}

    async def _running(self) -> Targets:
        positions = await shadow.running(self.db, self._names)
        return {tp: position.next_offset for tp, position in positions.items()}

    @property
    def _names(self) -> list[str]:
        return [topic.name for topic in self.rebuild.inputs]

    async def _skipped(self) -> frozenset[Where]:
        if not self.rebuild.leaves_letters:
            return frozenset()
        return await reading.buried(self.options.kafka, self.rebuild.service)

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
