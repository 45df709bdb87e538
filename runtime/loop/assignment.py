"""Acquires assigned partitions: all steps between the rebalance and the first record.

Reads Kafka with a temporary consumer, because the group's own consumer may be the wedged one.
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition

from runtime.consistency import offsets
from runtime.errors import Fenced
from runtime.kafka import clients
from runtime.kafka.admin import cluster_id
from runtime.kafka.producer import Producer
from runtime.loop.loop import Loop
from runtime.loop.ports import Store
from runtime.messages.message import Record
from runtime.messages.positions import Position, Published, of_topic
from schemas.topics import Topic

log = structlog.get_logger()

LEFTOVERS = 20
"""Leftover outbox rows read and published per round."""

_FETCH_BYTES = 512 * 1024


@dataclass(frozen=True)
class Assignment:
    """Acquires partitions for a loop, and recovers output events that the database lacks.

    `compacted` are the names of the compacted input topics.
    """

    bootstrap: str = field(repr=False)
    compacted: Set[str]
    output_topic: Topic | None
    loop: Loop[Any]
    store: Store
    publisher: Producer
    batch_records: int
    """Maximum records of the output topic per batch during recovery."""

    async def acquire(
        self, assigned: Iterable[TopicPartition]
    ) -> Mapping[TopicPartition, Position]:
        """Acquire these partitions and assign them to the loop; returns their positions.

        Raises:
            CannotRun: the stored offsets do not belong to this Kafka cluster.
            Fenced: another worker has acquired the partitions meanwhile.
            Exception: if `is_transient`, the caller may retry.
        """
        inputs = set(assigned)
        numbers = {tp.partition for tp in inputs}
        topic = self.output_topic
        outputs = {TopicPartition(topic.name, n) for n in numbers} if topic else set()
        async with clients.open_consumer(
            self.bootstrap,
            inputs | outputs,
            request_timeout_ms=10_000,
            partition_bytes=_FETCH_BYTES,
        ) as reader:
            positions = await self._positions(reader, inputs, outputs)
            # Before the leftovers: publishing them moves the stored offset of the output topic.
            await self._recover(reader, positions, await reader.end_offsets(outputs))
        leftovers = await self._publish_leftovers(numbers)
        acquired = {tp: position for tp, position in positions.items() if tp in inputs}
        self.loop.assign(acquired)
        log.info("partitions acquired", partitions=len(acquired), leftovers=leftovers)
        return acquired

    async def _positions(
        self, reader: AIOKafkaConsumer, inputs: set[TopicPartition], outputs: set[TopicPartition]
    ) -> Mapping[TopicPartition, Position]:
        """Raise the epochs and return the positions. Changes nothing if the cluster check fails."""
        earliest = await reader.beginning_offsets(inputs | outputs)
        cluster = await cluster_id(self.bootstrap)
        async with self.store.assigning(cluster, earliest) as acquired:
            offsets.refuse_other_cluster(acquired.cluster, cluster)
            # At its first assignment a partition has no stored offset to compare.
            new = {tp for tp, position in acquired.positions.items() if position.epoch == 1}
            offsets.refuse_misfits(
                await offsets.check_offsets(
                    reader, acquired.positions, self.compacted, new=new, may_expire=outputs
                )
            )
        return acquired.positions

    async def _publish_leftovers(self, partitions: set[int]) -> int:
        """Publish the leftovers of these partitions, oldest first; returns the number of rows."""
        published = 0
        topic = self.output_topic.name if self.output_topic else None
        while rows := await self.store.leftovers(partitions, LEFTOVERS):
            records = [record for row in rows for record in row.records]
            acknowledged = of_topic(await self.publisher.publish(records), topic)
            await self.store.drop([Published([row.id for row in rows], acknowledged)])
            published += len(rows)
            self.loop.liveness.mark_alive()
        return published

    async def _recover(
        self,
        reader: AIOKafkaConsumer,
        positions: Mapping[TopicPartition, Position],
        ends: Mapping[TopicPartition, int],
    ) -> None:
        """Handle the service's own published events from the stored offsets up to `ends`."""
        left = {tp for tp, end in ends.items() if positions[tp].next_offset < end}
        if not left:
            return
        log.info("recovering published events", partitions=len(left))
        self.loop.assign(positions)
        for tp in left:
            reader.seek(tp, positions[tp].next_offset)
        while left:
            batches = await reader.getmany(*left, timeout_ms=1000, max_records=self.batch_records)
            for tp, records in batches.items():
                await self._handle([r for r in records if r.offset < ends[tp]])
            left = {tp for tp in left if await reader.position(tp) < ends[tp]}
        await self.loop.release()

    async def _handle(self, records: Sequence[Record]) -> None:
        await self.loop.on_batch(records)
        if not self.loop.assigned:
            raise Fenced
