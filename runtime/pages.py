"""Reading a topic page by page for clients over HTTP, who keep their own place in it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from runtime.clients import closed, start_reader
from runtime.problems import unavailable
from runtime.records import Record

AT_ONCE = 4
"""Pages that are read at the same time; others wait for one of these readers."""

WITHIN_S = 5.0


@dataclass(frozen=True, slots=True)
class Page:
    """Records of a partition, and the offset after the last of them; none at the end of the partition.

    `past_end` tells that the partition never had the place that was asked for.
    """

    records: Sequence[Record]
    next_offset: int
    past_end: bool = False


class Pages:
    """Readers without a group, started when they are needed and kept for the next page."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._idle: list[AIOKafkaConsumer] = []
        self._places = asyncio.Semaphore(AT_ONCE)

    async def read(self, tp: TopicPartition, offset: int, at_most: int) -> Page:
        """The next records of a partition that is there, from `offset` on, or from its beginning if expired.

        Raises:
            Problem: 503 while Kafka does not answer.
        """
        try:
            async with self._places, asyncio.timeout(WITHIN_S), self._reader() as reader:
                reader.assign([tp])
                end = (await reader.end_offsets([tp]))[tp]
                if offset >= end:
                    return Page((), offset, past_end=offset > end)
                reader.seek(tp, offset)
                while not (found := await reader.getmany(timeout_ms=1000, max_records=at_most)):
                    pass
                records = found[tp]
                return Page(records, records[-1].offset + 1)
        except (KafkaError, OSError, TimeoutError) as error:
            raise unavailable("Kafka does not answer; please try again.") from error

    async def stop(self) -> None:
        """Disconnect."""
        idle, self._idle = self._idle, []
        await asyncio.gather(*(closed(reader.stop()) for reader in idle))

    @asynccontextmanager
    async def _reader(self) -> AsyncIterator[AIOKafkaConsumer]:
        """A reader that goes back to the others, unless something went wrong with it."""
        reader = (
            self._idle.pop()
            if self._idle
            else await start_reader(self._bootstrap, request_timeout_ms=int(WITHIN_S * 1000))
        )
        try:
            yield reader
        except BaseException:
            await closed(reader.stop())
            raise
        self._idle.append(reader)
