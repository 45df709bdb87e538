"""A global table: a small compacted topic in memory, with the newest body of each key."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Generic, TypeVar

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition

from runtime.kafka.clients import open_consumer
from runtime.kafka.following import keep_reading
from runtime.messages.message import Message, Record
from runtime.messages.parser import Parser
from schemas.base import Body
from schemas.topics import Topic

log = structlog.get_logger()

READ_S = 30.0

T = TypeVar("T", bound=Body)


class GlobalTable(Generic[T]):
    """Follows one compacted topic. Use `rows` only after `caught_up`."""

    def __init__(self, bootstrap: str, topic: Topic, body: type[T]) -> None:
        self._bootstrap = bootstrap
        self._topic = topic
        self._body = body
        self._parser = Parser.of([topic])
        self._rows: dict[str, T] = {}
        self._caught_up = asyncio.Event()

    @property
    def rows(self) -> Mapping[str, T]:
        """The newest body of each key: always the same mapping, updated in place."""
        return self._rows

    async def caught_up(self) -> None:
        """Wait until the end offsets of the first connection have been reached."""
        await self._caught_up.wait()

    async def follow(self) -> None:
        """Read the topic from its beginning until cancelled; connect again after an outage of Kafka."""
        await keep_reading(self._read, self._topic.name)

    async def read(self) -> dict[str, T]:
        """Read the topic once, up to its end offsets. Raises KafkaError or OSError when Kafka is away."""
        async with self._reading():
            return dict(self._rows)

    async def _read(self) -> None:
        async with self._reading() as consumer:
            while True:
                await self._poll(consumer, self._rows)

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[AIOKafkaConsumer]:
        """Open a consumer that has read the topic up to its end offsets."""
        partitions = [TopicPartition(self._topic.name, p) for p in range(self._topic.partitions)]
        async with open_consumer(
            self._bootstrap, partitions, request_timeout_ms=15_000
        ) as consumer:
            await self._catch_up(consumer, await consumer.end_offsets(partitions))
            yield consumer

    async def _catch_up(
        self, consumer: AIOKafkaConsumer, ends: Mapping[TopicPartition, int]
    ) -> None:
        """Read up to the end offsets into new rows: keys that were compacted away must disappear too."""
        rows: dict[str, T] = {}
        while not all([await consumer.position(tp) >= end for tp, end in ends.items()]):
            await self._poll(consumer, rows)
        for removed in self._rows.keys() - rows.keys():
            del self._rows[removed]
        self._rows.update(rows)
        self._caught_up.set()

    async def _poll(self, consumer: AIOKafkaConsumer, rows: dict[str, T]) -> None:
        for records in (await consumer.getmany(timeout_ms=200)).values():
            for record in records:
                self._apply(record, rows)

    def _apply(self, record: Record, rows: dict[str, T]) -> None:
        message = self._parser.parse(record)
        if not isinstance(message, Message):
            # Only our CLI writes these, and checks them first. The key keeps its previous body.
            log.error("unreadable table record", topic=record.topic, offset=record.offset)
        elif message.body is None:
            rows.pop(message.key, None)
        elif isinstance(message.body, self._body):
            rows[message.key] = message.body


async def read_table(bootstrap: str, topic: Topic, body: type[T]) -> dict[str, T]:
    """Read a global table once, up to its current end.

    Raises:
        KafkaError, OSError: Kafka is away.
        TimeoutError: Kafka did not deliver it within `READ_S`.
    """
    async with asyncio.timeout(READ_S):
        return await GlobalTable(bootstrap, topic, body).read()
