"""Reads a topic in pages, for HTTP clients that keep their own offset."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from runtime.errors import KafkaUnavailable
from runtime.kafka.clients import closed, start_consumer
from runtime.messages.message import Record

MAX_CONSUMERS = 4
"""Pages that can be read at the same time; further calls wait for a free consumer."""

TIMEOUT_S = 5.0

FETCH_WAIT_MS = 10
"""How long a fetch at the end of a topic waits for records; a consumer's next page waits for that fetch."""


@dataclass(frozen=True, slots=True)
class Page:
    """Records of a partition, and the offset of the next page; no records at the end of the partition.

    `past_end`: the requested offset is higher than the end offset.
    """

    records: Sequence[Record]
    next_offset: int
    past_end: bool = False


class TopicPages:
    """Consumers without a group, started on demand and kept for the next page."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._idle: list[AIOKafkaConsumer] = []
        self._slots = asyncio.Semaphore(MAX_CONSUMERS)

    async def read(self, topic: str, offset: int, at_most: int) -> Page:
        """Read up to `at_most` records from `offset` on; the topic exists and has one partition.

        If records have expired, the page begins at the first that still exists.

        Raises:
            KafkaUnavailable: Kafka did not answer within `TIMEOUT_S`.
        """
        tp = TopicPartition(topic, 0)
        try:
            async with self._slots, asyncio.timeout(TIMEOUT_S), self._consumer() as consumer:
                consumer.assign([tp])
                end = (await consumer.end_offsets([tp]))[tp]
                if offset >= end:
                    return Page((), offset, past_end=offset > end)
                consumer.seek(tp, offset)
                while not (batches := await consumer.getmany(timeout_ms=1000, max_records=at_most)):
                    pass
                records = batches[tp]
                return Page(records, records[-1].offset + 1)
        except (KafkaError, OSError, TimeoutError) as error:
            raise KafkaUnavailable from error

    async def exists(self, topic: str) -> bool:
        """Ask Kafka whether it has this topic.

        Raises:
            KafkaUnavailable: Kafka did not answer within `TIMEOUT_S`.
        """
        try:
            async with self._slots, asyncio.timeout(TIMEOUT_S), self._consumer() as consumer:
                # All topics: a request for one would create it on a Kafka that creates topics on demand.
                return topic in await consumer.topics()
        except (KafkaError, OSError, TimeoutError) as error:
            raise KafkaUnavailable from error

    async def ranges(
        self, partitions: Sequence[TopicPartition]
    ) -> Mapping[TopicPartition, tuple[int, int]]:
        """The first offset of each partition, and the one after its last record.

        Raises:
            KafkaUnavailable: Kafka did not answer within `TIMEOUT_S`.
        """
        try:
            async with self._slots, asyncio.timeout(TIMEOUT_S), self._consumer() as consumer:
                begins = await consumer.beginning_offsets(partitions)
                ends = await consumer.end_offsets(partitions)
                return {tp: (begins[tp], ends[tp]) for tp in partitions}
        except (KafkaError, OSError, TimeoutError) as error:
            raise KafkaUnavailable from error

    async def stop(self) -> None:
        """Close all consumers."""
        idle, self._idle = self._idle, []
        await asyncio.gather(*(closed(consumer.stop()) for consumer in idle))

    @asynccontextmanager
    async def _consumer(self) -> AsyncIterator[AIOKafkaConsumer]:
        """Use an idle or a new consumer; keep it for the next page unless the body raises."""
        consumer = self._idle.pop() if self._idle else await self._start()
        try:
            yield consumer
        except BaseException:
            await closed(consumer.stop())
            raise
        # An idle consumer must fetch nothing: it would ask Kafka again and again.
        consumer.unsubscribe()
        self._idle.append(consumer)

    async def _start(self) -> AIOKafkaConsumer:
        return await start_consumer(
            self._bootstrap, request_timeout_ms=int(TIMEOUT_S * 1000), fetch_wait_ms=FETCH_WAIT_MS
        )
