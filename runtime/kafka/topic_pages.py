"""Reads a topic page by page, for clients over HTTP that keep their own offset."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from runtime.errors import KafkaUnavailable
from runtime.kafka.clients import closed, start_reader
from runtime.messages.message import Record

MAX_CONSUMERS = 4
"""Pages that are read at the same time; further readers wait for one of these consumers."""

TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class Page:
    """Records of a partition and the offset after the last of them; no records at the partition's end.

    `past_end`: the requested offset lies beyond the end of the partition.
    """

    records: Sequence[Record]
    next_offset: int
    past_end: bool = False


class TopicPages:
    """Consumers without a group, started on demand and kept for the next page."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._idle: list[AIOKafkaConsumer] = []
        self._places = asyncio.Semaphore(MAX_CONSUMERS)

    async def read(self, topic: str, offset: int, at_most: int) -> Page:
        """The next records of an existing topic with one partition, from `offset` on.

        Where those have expired, it begins at the first record that is left.

        Raises:
            KafkaUnavailable: Kafka did not answer within `TIMEOUT_S`.
        """
        tp = TopicPartition(topic, 0)
        try:
            async with self._places, asyncio.timeout(TIMEOUT_S), self._consumer() as consumer:
                consumer.assign([tp])
                end = (await consumer.end_offsets([tp]))[tp]
                if offset >= end:
                    return Page((), offset, past_end=offset > end)
                consumer.seek(tp, offset)
                while not (found := await consumer.getmany(timeout_ms=1000, max_records=at_most)):
                    pass
                records = found[tp]
                return Page(records, records[-1].offset + 1)
        except (KafkaError, OSError, TimeoutError) as error:
            raise KafkaUnavailable from error

    async def stop(self) -> None:
        """Disconnect."""
        idle, self._idle = self._idle, []
        await asyncio.gather(*(closed(consumer.stop()) for consumer in idle))

    @asynccontextmanager
    async def _consumer(self) -> AsyncIterator[AIOKafkaConsumer]:
        """An idle consumer, kept for the next page unless reading with it failed."""
        consumer = self._idle.pop() if self._idle else await self._started()
        try:
            yield consumer
        except BaseException:
            await closed(consumer.stop())
            raise
        self._idle.append(consumer)

    async def _started(self) -> AIOKafkaConsumer:
        return await start_reader(self._bootstrap, request_timeout_ms=int(TIMEOUT_S * 1000))
