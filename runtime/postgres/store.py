"""Progress and outbox on PostgreSQL: `PostgresStore` is the port `runtime.loop.ports.Store`.

A batch is saved as one statement when what it writes allows that, and in a transaction otherwise.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from aiokafka import TopicPartition

from runtime.messages.positions import Changes, Claim, Fired, Position, Published, Stored, Taken
from runtime.postgres import outbox, progress, timers
from runtime.postgres.connection import Connection
from runtime.postgres.statements import Writes, as_one


class PostgresSession:
    """A connection that is held for one batch."""

    def __init__(self, db: Connection) -> None:
        self.db = db
        """What the service's handler loads from."""

    async def save(
        self, changes: Changes, writes: Writes, before_commit: Callable[[], None] = lambda: None
    ) -> Sequence[int]:
        """Save all of it or nothing; the ids of the new outbox rows. Raises Fenced, Outdated."""
        if changes.published:
            outbox.drop_with(writes, changes.published)
        if changes.cancelled:
            timers.cancel(writes, changes.cancelled)
        if changes.timers:
            timers.keep(writes, changes.timers)
        return await save(self.db, changes.claims, changes.outputs, writes, before_commit)


class PostgresStore:
    """Progress and outbox of one database, by the connections of a pool."""

    def __init__(self, pool: "asyncpg.Pool[Any]") -> None:
        self._pool = pool

    @asynccontextmanager
    async def taking(
        self, cluster: str, earliest: Mapping[TopicPartition, int]
    ) -> AsyncIterator[Taken]:
        """Take partitions at the end of the body, or change nothing when it raises."""
        async with self._pool.acquire() as db, db.transaction():
            belongs_to = await progress.store_first_cluster(db, cluster)
            yield Taken(belongs_to, await progress.take(db, earliest))

    async def positions(self) -> Mapping[TopicPartition, Position]:
        """The stored offsets of all partitions, whichever worker has them: for the watchdog."""
        async with self._pool.acquire() as db:
            return await progress.positions(db)

    @asynccontextmanager
    async def session(self) -> AsyncIterator[PostgresSession]:
        """A connection for one batch."""
        async with self._pool.acquire() as db:
            yield PostgresSession(db)

    async def any_due(self, partitions: Iterable[int]) -> bool:
        """Whether a timer of these partitions is due, by the database's clock."""
        async with self._pool.acquire() as db:
            return await timers.any_due(db, partitions)

    async def fire(self, partitions: Iterable[int], claims: Sequence[Claim]) -> Fired:
        """Move due timers of these partitions to the outbox. Raises Fenced."""
        async with self._pool.acquire() as db, db.transaction():
            due = await timers.due(db, partitions)
            if not due:
                return Fired((), {})
            return Fired(await progress.advance(db, claims, due), due)

    async def leftovers(self, partitions: Iterable[int], at_most: int) -> Sequence[Stored]:
        """The oldest outbox rows of these partitions, oldest first."""
        async with self._pool.acquire() as db:
            return await outbox.leftovers(db, partitions, at_most)

    async def drop(self, published: Sequence[Published]) -> None:
        """Delete published outbox rows and note what Kafka acknowledged."""
        async with self._pool.acquire() as db:
            await outbox.drop(db, published)

    async def has_stale(self, partitions: Iterable[int], age_s: float) -> bool:
        """Whether an outbox row of these partitions is older than so many seconds."""
        async with self._pool.acquire() as db:
            return await outbox.has_stale(db, partitions, age_s)


async def save(
    db: Connection,
    claims: Sequence[Claim],
    outputs: Mapping[int, Sequence[Any]],
    writes: Writes,
    before_commit: Callable[[], None] = lambda: None,
) -> list[int]:
    """Advance and write the rest with it, all or nothing; the ids of the new outbox rows.

    Raises:
        Fenced: a claim no longer holds. Nothing was written.
        Outdated: what was loaded has changed since. Nothing was written.
    """
    with writes.outdated():
        together = writes.together()
        if together is not None:
            sql, arguments = as_one(progress.ADVANCE, progress.ADVANCE_PARAMETERS, together)
            before_commit()
            return await progress.advance_with(db, sql, claims, outputs, *arguments)
        async with db.transaction():
            ids = await progress.advance(db, claims, outputs)
            await writes.send(db)
            before_commit()
            return ids
