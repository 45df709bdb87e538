"""Taking assigned partitions: from their assignment to the first record that is handled.

Kafka is asked by a consumer made for this once, as that of the group may be the one that is wedged.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
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
from runtime.messages.positions import Position, Published, about
from schemas.topics import Topic

log = structlog.get_logger()

LEFTOVERS = 20
"""Outbox rows that are published at a time."""

_FETCH_BYTES = 512 * 1024


@dataclass(frozen=True)
class Assignment:
    """Takes partitions of `inputs` for a loop, and recovers what their database lacks of the output topic."""

    bootstrap: str
    inputs: tuple[Topic, ...]
    output_topic: Topic | None
    loop: Loop[Any]
    store: Store
    publisher: Producer
    at_a_time: int
    """Records of the output topic that are handled together."""

    async def take(self, assigned: Iterable[TopicPartition]) -> Mapping[TopicPartition, Position]:
        """Take these partitions, so that the loop may handle them; their stored offsets.

        Raises:
            CannotRun: this is not the Kafka that the stored offsets belong to.
            Fenced: another worker has taken them meanwhile.
            Exception: of a kind that `is_transient`; to be tried again.
        """
        inputs = set(assigned)
        numbers = {tp.partition for tp in inputs}
        topic = self.output_topic
        outputs = {TopicPartition(topic.name, n) for n in numbers} if topic else set()
        async with clients.reader(
            self.bootstrap,
            inputs | outputs,
            request_timeout_ms=10_000,
            partition_bytes=_FETCH_BYTES,
        ) as reader:
            positions = await self._positions(reader, inputs, outputs)
            # Before the leftovers: publishing them moves the stored offset of the output topic.
            await self._recover(reader, positions, await reader.end_offsets(outputs))
        leftovers = await self._publish_leftovers(numbers)
        taken = {tp: position for tp, position in positions.items() if tp in inputs}
        self.loop.assign(taken)
        log.info("partitions taken", partitions=len(taken), leftovers=leftovers)
        return taken

    async def _positions(
        self, reader: AIOKafkaConsumer, inputs: set[TopicPartition], outputs: set[TopicPartition]
    ) -> Mapping[TopicPartition, Position]:
        """Raise the epochs, unless Kafka and the database do not fit: then nothing is changed."""
        earliest = await reader.beginning_offsets(inputs | outputs)
        cluster = await cluster_id(self.bootstrap)
        compacted = {topic.name for topic in self.inputs if topic.compacted}
        async with self.store.taking(cluster, earliest) as taken:
            offsets.refuse_other_cluster(taken.cluster, cluster)
            # A partition that is taken for the first time has no offset that was reached.
            new = {tp for tp, position in taken.positions.items() if position.epoch == 1}
            offsets.refuse_misfits(
                await offsets.look(reader, taken.positions, compacted, new=new, may_expire=outputs)
            )
        return taken.positions

    async def _publish_leftovers(self, partitions: set[int]) -> int:
        """Publish the outbox rows of these partitions, oldest first; how many rows that were."""
        published = 0
        topic = self.output_topic.name if self.output_topic else None
        while rows := await self.store.leftovers(partitions, LEFTOVERS):
            records = [record for row in rows for record in row.records]
            acknowledged = about(await self.publisher.publish(records), topic)
            await self.store.drop([Published([row.id for row in rows], acknowledged)])
            published += len(rows)
            self.loop.pulse.beat()
        return published

    async def _recover(
        self,
        reader: AIOKafkaConsumer,
        positions: Mapping[TopicPartition, Position],
        ends: Mapping[TopicPartition, int],
    ) -> None:
        """Handle the service's own published events between the stored offsets and `ends`."""
        left = {tp for tp, end in ends.items() if positions[tp].next_offset < end}
        if not left:
            return
        log.info("recovering published events", partitions=len(left))
        self.loop.assign(positions)
        for tp in left:
            reader.seek(tp, positions[tp].next_offset)
        while left:
            batches = await reader.getmany(*left, timeout_ms=1000, max_records=self.at_a_time)
            for tp, records in batches.items():
                await self._handle([r for r in records if r.offset < ends[tp]])
            left = {tp for tp in left if await reader.position(tp) < ends[tp]}
        await self.loop.release()

    async def _handle(self, records: Sequence[Record]) -> None:
        await self.loop.on_batch(records)
        if not self.loop.assigned:
            raise Fenced
