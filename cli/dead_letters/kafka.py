"""Kafka for the dead letters' tools: read a topic up to its end, send a record and return its offset."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Self

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import (
    InvalidTopicError,
    MessageSizeTooLargeError,
    TopicAuthorizationFailedError,
)

from cli.console import UserError
from cli.dead_letters.letters import Place
from runtime.kafka import clients, group_offsets
from runtime.messages.message import Outgoing
from runtime.messages.partitioner import partition_of

SILENCE_S = 30.0
"""Seconds that a read waits for the next records before Kafka counts as unavailable."""

_REQUEST_S = 10.0
_BATCH_BYTES = 8 << 20

REFUSALS = (MessageSizeTooLargeError, TopicAuthorizationFailedError, InvalidTopicError)
"""Errors that mean: the record was not written, and a retry would not help."""


class Reader:
    """Reads whole topics, outside any consumer group."""

    def __init__(self, consumer: AIOKafkaConsumer, client: AIOKafkaAdminClient) -> None:
        self._consumer = consumer
        self._client = client

    async def committed(self, service: str) -> dict[TopicPartition, int]:
        """Read the committed offsets of a service's group; empty when it has none."""
        return await group_offsets.committed(self._client, service)

    async def ends(self, topic: str) -> dict[int, int]:
        """Read the end offset of each partition. Raises UserError when the topic does not exist."""
        partitions = await group_offsets.existing_partitions(self._client, [topic])
        if not partitions:
            raise UserError(f"There is no topic {topic} on this Kafka; see `herhaal topics apply`.")
        ends = await self._consumer.end_offsets(partitions)
        return {tp.partition: end for tp, end in ends.items()}

    async def read(
        self, topic: str, ends: Mapping[int, int], start: Mapping[int, int] | None = None
    ) -> AsyncIterator[ConsumerRecord]:
        """Read the records before `ends`, each partition in order, from `start` or from the beginning.

        With `start`, only its partitions are read. Raises TimeoutError when no records come for SILENCE_S.
        """
        chosen = {TopicPartition(topic, p): ends[p] for p in (ends if start is None else start)}
        if not chosen:
            return
        self._consumer.assign(list(chosen))
        first = await self._consumer.beginning_offsets(list(chosen))
        for tp in chosen:
            wanted = 0 if start is None else start[tp.partition]
            self._consumer.seek(tp, max(first[tp], wanted))
        while behind := [tp for tp, end in chosen.items() if await self._position(tp) < end]:
            async with asyncio.timeout(SILENCE_S):
                batches = await self._next(behind)
            for tp, records in batches.items():
                for record in records:
                    if record.offset < chosen[tp]:
                        yield record

    async def _position(self, tp: TopicPartition) -> int:
        position: int = await self._consumer.position(tp)
        return position

    async def _next(
        self, behind: Iterable[TopicPartition]
    ) -> dict[TopicPartition, list[ConsumerRecord]]:
        """Read the next records; empty when only positions moved, as past compacted offsets."""
        behind = list(behind)
        before = [await self._position(tp) for tp in behind]
        while True:
            batches: dict[TopicPartition, list[ConsumerRecord]] = await self._consumer.getmany(
                *behind, timeout_ms=200
            )
            if batches or before != [await self._position(tp) for tp in behind]:
                return batches


@asynccontextmanager
async def reader(bootstrap: str) -> AsyncIterator[Reader]:
    """Open a reader. Raises KafkaConnectionError when Kafka is unavailable."""
    timeout_ms = int(_REQUEST_S * 1000)
    async with (
        clients.open_consumer(bootstrap, request_timeout_ms=timeout_ms) as consumer,
        clients.admin(bootstrap) as client,
    ):
        yield Reader(consumer, client)


class Writer:
    """Sends one record at a time and returns its partition and offset."""

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer = producer

    @classmethod
    @asynccontextmanager
    async def open(cls, bootstrap: str) -> AsyncIterator[Self]:
        """Open a writer. Raises KafkaConnectionError when Kafka is unavailable."""
        producer = await clients.start_producer(
            bootstrap,
            client_id="herhaal-cli",
            batch_bytes=_BATCH_BYTES,
            request_timeout_ms=int(_REQUEST_S * 1000),
        )
        try:
            yield cls(producer)
        finally:
            await clients.closed(producer.stop())

    async def send(self, record: Outgoing, keyless: int = 0) -> Place:
        """Send to the partition of the record's key; one without a key goes to partition `keyless`.

        Raises:
            KafkaError: refused (one of REFUSALS), or not acknowledged: whether Kafka has it is unknown.
            TimeoutError: Kafka is unavailable; whether it has the record is unknown.
        """
        async with asyncio.timeout(_REQUEST_S * 2):
            count = len(await self._producer.partitions_for(record.topic))
            partition = partition_of(record.key, count) if record.key else keyless
            # A batch of one: the producer's `send` rejects a record without key and value.
            batch = self._producer.create_batch()
            if not batch.append(
                timestamp=None, key=record.key, value=record.value, headers=record.headers
            ):
                raise MessageSizeTooLargeError
            batch.close()
            sent = await self._producer.send_batch(batch, record.topic, partition=partition)
            return Place(record.topic, partition, (await sent).offset)
