"""Implements the port `runtime.loop.ports.Store` on PostgreSQL: progress, outbox and timers.

A batch is saved by one statement where possible, otherwise by several in a transaction.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from aiokafka import TopicPartition

from runtime.messages.positions import (
    Assigned,
    Changes,
    Claim,
    Fired,
    OutboxRow,
    Position,
    Published,
)
from runtime.postgres import outbox, progress, timers
from runtime.postgres.audit import ChainWriter
from runtime.postgres.connection import Connection
from runtime.postgres.statements import Writes, combine


class PostgresSession:
    """A database connection for one batch."""

    def __init__(self, db: Connection, audit: ChainWriter) -> None:
        self.db = db
        """The connection that the service's handler loads from."""
        self._audit = audit

    async def save(
        self, changes: Changes, writes: Writes, before_commit: Callable[[], None] = lambda: None
    ) -> Sequence[int]:
        """Save everything or nothing; return the ids of new outbox rows. Raises Fenced, Outdated."""
        if changes.published:
            outbox.drop_with(writes, changes.published)
        if changes.cancelled:
            timers.cancel(writes, changes.cancelled)
        if changes.timers:
            timers.upsert(writes, changes.timers)
        claims, outputs, audited = changes.claims, changes.outputs, changes.audited
        if not audited:
            return await save(self.db, claims, outputs, writes, before_commit)
        async with self.db.transaction():
            ids = await save(self.db, claims, outputs, writes)
            # Last, as transactions of the API take the lock of the chain last too.
            await self._audit.append(self.db, audited)
            before_commit()
            return ids


class PostgresStore:
    """Progress, outbox and timers of one database, by connections from a pool."""

    def __init__(self, pool: "asyncpg.Pool[Any]", audit: ChainWriter) -> None:
        self._pool = pool
        self._audit = audit

    @asynccontextmanager
    async def assigning(
        self, cluster: str, earliest: Mapping[TopicPartition, int]
    ) -> AsyncIterator[Assigned]:
        """Raise the epochs of these partitions; undo that when the body raises."""
        async with self._pool.acquire() as db, db.transaction():
            stored_cluster = await progress.store_first_cluster(db, cluster)
            yield Assigned(stored_cluster, await progress.raise_epochs(db, earliest))

    async def positions(self) -> Mapping[TopicPartition, Position]:
        """Read the positions of all partitions, also those of other workers, for the watchdog."""
        async with self._pool.acquire() as db:
            return await progress.positions(db)

    @asynccontextmanager
    async def session(self) -> AsyncIterator[PostgresSession]:
        """Hold a connection for one batch."""
        async with self._pool.acquire() as db:
            yield PostgresSession(db, self._audit)

    async def any_due(self, partitions: Iterable[int]) -> bool:
        """Whether a timer of these partitions is due, by the database's clock."""
        async with self._pool.acquire() as db:
            return await timers.any_due(db, partitions)

    async def fire(self, partitions: Iterable[int], claims: Sequence[Claim]) -> Fired:
        """Move due timers of these partitions to the outbox. Raises Fenced."""
        async with self._pool.acquire() as db, db.transaction():
            due = await timers.pop_due(db, partitions)
            if not due:
                return Fired((), {})
            return Fired(await progress.advance(db, claims, due), due)

    async def leftovers(self, partitions: Iterable[int], at_most: int) -> Sequence[OutboxRow]:
        """Read the oldest outbox rows of these partitions, oldest first."""
        async with self._pool.acquire() as db:
            return await outbox.leftovers(db, partitions, at_most)

    async def drop(self, published: Sequence[Published]) -> None:
        """Delete published outbox rows and store the acknowledged offsets."""
        async with self._pool.acquire() as db:
            await outbox.drop(db, published)

    async def has_stale(self, partitions: Iterable[int], age_s: float) -> bool:
        """Whether these partitions have an outbox row older than `age_s` seconds."""
        async with self._pool.acquire() as db:
            return await outbox.has_stale(db, partitions, age_s)


async def save(
    db: Connection,
    claims: Sequence[Claim],
    outputs: Mapping[int, Sequence[Any]],
    writes: Writes,
    before_commit: Callable[[], None] = lambda: None,
) -> list[int]:
    """Advance the stored offsets and write everything else, or nothing; return the ids of new outbox rows.

    Raises:
        Fenced: a claim does not hold. Nothing was written.
        Outdated: a row has changed since it was loaded. Nothing was written.
    """
    with writes.raising_outdated():
        statements = writes.combinable()
        if statements is not None:
            sql, arguments = combine(progress.ADVANCE, progress.ADVANCE_PARAMETERS, statements)
            before_commit()
            return await progress.advance_with(db, sql, claims, outputs, *arguments)
        async with db.transaction():
            ids = await progress.advance(db, claims, outputs)
            await writes.send(db)
            before_commit()
            return ids
