"""Reads the newest records of a topic into memory, and then each as it comes."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition

from runtime.kafka.clients import open_consumer
from runtime.kafka.following import keep_reading
from runtime.messages.message import Message, Record
from runtime.messages.parser import Parser
from runtime.messages.recent import KEPT, LiveEvent, Recent
from schemas.topics import Topic

log = structlog.get_logger()

_AT_ONCE = 200
"""Records that are parsed before other tasks have their turn."""

Offsets = Mapping[TopicPartition, int]


class Tail:
    """Follows all partitions of a topic for `recent`, once that is wanted. `read` makes an event of a body."""

    def __init__(
        self,
        bootstrap: str,
        topic: Topic,
        read: Callable[[Any], LiveEvent | None],
        recent: Recent,
    ) -> None:
        self._bootstrap = bootstrap
        self._topic = topic
        self._read_body = read
        self._recent = recent
        self._parser = Parser.of([topic])
        self._partitions = [TopicPartition(topic.name, p) for p in range(topic.partitions)]

    async def follow(self) -> None:
        """Read until cancelled, from the newest `KEPT` records of each partition on."""
        await self._recent.wanted.wait()
        await keep_reading(self._read, self._topic.name)

    async def _read(self) -> None:
        """Read until Kafka is away, or has lost what was read before."""
        async with open_consumer(
            self._bootstrap, self._partitions, request_timeout_ms=15_000
        ) as consumer:
            ends = await consumer.end_offsets(self._partitions)
            self._begin(consumer, await consumer.beginning_offsets(self._partitions), ends)
            while not all([await consumer.position(tp) >= end for tp, end in ends.items()]):
                await self._poll(consumer)
            self._recent.catch_up()
            while await self._poll(consumer):
                pass

    def _begin(self, consumer: AIOKafkaConsumer, starts: Offsets, ends: Offsets) -> None:
        """Go on from where reading ended, or begin anew where Kafka does not have that any more."""
        for tp, end in ends.items():
            at = self._recent.end_of(tp.partition)
            if at is None:
                at = max(starts[tp], end - KEPT)
                self._recent.begin(tp.partition, at)
            elif not starts[tp] <= at <= end:
                at = end
                self._recent.begin(tp.partition, at)
            consumer.seek(tp, at)

    async def _poll(self, consumer: AIOKafkaConsumer) -> bool:
        """Add the next records; False when Kafka delivers what was read before: it lost what came after."""
        batches = await consumer.getmany(timeout_ms=1000, max_records=_AT_ONCE)
        return all(self._add(records) for records in batches.values())

    def _add(self, records: Sequence[Record]) -> bool:
        for record in records:
            if record.offset < (self._recent.end_of(record.partition) or 0):
                return False
            message = self._parser.parse(record)
            if isinstance(message, Message):
                event = None if message.body is None else self._read_body(message.body)
                self._recent.add(record.partition, record.offset, message.key, event)
            else:
                # Our own service wrote it; nobody else may.
                log.error("unreadable record", topic=record.topic, offset=record.offset)
                self._recent.add(record.partition, record.offset, "", None)
        return True
