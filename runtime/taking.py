"""Taking partitions: what happens between their assignment and the first record that is handled.

Everything is asked of a reader of its own, made for this once: the group's consumer may be the one
that is wedged.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition

from runtime import clients, continuity, ledger
from runtime.ledger import Fenced, Position, Published
from runtime.loop import Loop
from runtime.publisher import Publisher
from runtime.records import Record
from runtime.topics import cluster_id
from schemas.topics import Topic

log = structlog.get_logger()

LEFTOVERS = 20
"""Outbox rows that are published at a time."""

_FETCH_BYTES = 512 * 1024


@dataclass(frozen=True)
class Taking:
    """Takes partitions of `inputs` for a loop, and what its own topic tells past what is known of it."""

    bootstrap: str
    inputs: tuple[Topic, ...]
    own: Topic | None
    loop: Loop[Any]
    pool: "asyncpg.Pool[Any]"
    publisher: Publisher
    at_a_time: int
    """Records of the own topic that are handled together."""

    async def take(self, assigned: Iterable[TopicPartition]) -> Mapping[TopicPartition, Position]:
        """Take these, until the loop may handle them; where it stands in each.

        Raises:
            CannotRun: this is not the Kafka that the database belongs to.
            Fenced: another worker has taken them meanwhile.
            KafkaError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError: to be tried again.
        """
        inputs = set(assigned)
        numbers = {tp.partition for tp in inputs}
        told = {TopicPartition(self.own.name, n) for n in numbers} if self.own else set()
        async with clients.reader(
            self.bootstrap, inputs | told, request_timeout_ms=10_000, partition_bytes=_FETCH_BYTES
        ) as reader:
            positions = await self._positions(reader, inputs, told)
            # Before the leftovers: publishing them moves on what is known of our own topic.
            await self._adopt(reader, positions, await reader.end_offsets(told))
        leftovers = await self._publish_leftovers(numbers)
        mine = {tp: position for tp, position in positions.items() if tp in inputs}
        self.loop.own(mine)
        log.info("partitions taken", partitions=len(mine), leftovers=leftovers)
        return mine

    async def _positions(
        self, reader: AIOKafkaConsumer, inputs: set[TopicPartition], told: set[TopicPartition]
    ) -> dict[TopicPartition, Position]:
        """Raise the epochs, unless Kafka and the database do not fit: then nothing is changed."""
        earliest = await reader.beginning_offsets(inputs | told)
        cluster = await cluster_id(self.bootstrap)
        compacted = {topic.name for topic in self.inputs if topic.compacted}
        async with self.pool.acquire() as db, db.transaction():
            continuity.refuse_other_cluster(await ledger.cluster(db, cluster), cluster)
            positions = await ledger.take(db, earliest)
            # One that was never taken stands at the beginning now, which is no place that was reached.
            new = {tp for tp, position in positions.items() if position.epoch == 1}
            continuity.refuse_misfits(
                await continuity.look(reader, positions, compacted, new=new, may_expire=told)
            )
        return positions

    async def _publish_leftovers(self, partitions: set[int]) -> int:
        """Publish what the outbox still holds, in order; how many rows that were."""
        published = 0
        own = self.own.name if self.own else None
        async with self.pool.acquire() as db:
            while rows := await ledger.leftovers(db, partitions, LEFTOVERS):
                records = [record for row in rows for record in row.records]
                told = await self.publisher.publish(records)
                ids = [row.id for row in rows]
                await ledger.drop(db, [Published(ids, ledger.about(told, own))])
                published += len(rows)
                self.loop.pulse.beat()
        return published

    async def _adopt(
        self,
        reader: AIOKafkaConsumer,
        positions: Mapping[TopicPartition, Position],
        ends: Mapping[TopicPartition, int],
    ) -> None:
        """Handle what our own topic holds between where we know it and `ends`."""
        left = {tp for tp, end in ends.items() if positions[tp].next_offset < end}
        if not left:
            return
        log.info("reading what was told before", partitions=len(left))
        self.loop.own(positions)
        for tp in left:
            reader.seek(tp, positions[tp].next_offset)
        while left:
            batches = await reader.getmany(*left, timeout_ms=1000, max_records=self.at_a_time)
            for tp, records in batches.items():
                await self._handle([r for r in records if r.offset < ends[tp]])
            left = {tp for tp in left if await reader.position(tp) < ends[tp]}
        await self.loop.disown()

    async def _handle(self, records: Sequence[Record]) -> None:
        await self.loop.on_batch(records)
        if not self.loop.owned:
            raise Fenced
