"""Read exact ranges of offsets outside a consumer group, in batches of bounded size."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from runtime.kafka.clients import open_consumer
from runtime.kafka.global_table import GlobalTable
from runtime.kafka.record_reader import Delivered
from runtime.loop.batch import Where
from runtime.messages.dead_letters import origin
from runtime.messages.message import Message
from runtime.messages.parser import Parser
from runtime.rebuild.declaration import Directory, Rebuild
from schemas.topics import Topic, dead_letters

BATCH = 5000
BATCH_BYTES = 32 * 1024 * 1024
"""A batch ends at this many records or bytes, which bounds the memory."""

SILENCE_S = 30.0
"""How long Kafka may send no record."""

_POLL = 1000
_PARTITION_BYTES = 4 * 1024 * 1024
_FETCH_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class OffsetRange:
    """A partition's offsets from `first` up to and not including `end`."""

    first: int
    end: int


OffsetRanges = Mapping[TopicPartition, OffsetRange]


@asynccontextmanager
async def consumer(kafka: str) -> AsyncIterator[AIOKafkaConsumer]:
    """Open a consumer outside a group. Raises KafkaError when Kafka cannot be reached."""
    async with open_consumer(
        kafka,
        partition_bytes=_PARTITION_BYTES,
        fetch_bytes=_FETCH_BYTES,
    ) as client:
        yield client


async def offset_ranges(
    client: AIOKafkaConsumer, partitions: Iterable[TopicPartition]
) -> dict[TopicPartition, OffsetRange]:
    """The current beginning and end offsets of these partitions."""
    wanted = list(partitions)
    firsts = await client.beginning_offsets(wanted)
    ends = await client.end_offsets(wanted)
    return {tp: OffsetRange(firsts[tp], ends[tp]) for tp in wanted}


async def records(client: AIOKafkaConsumer, ranges: OffsetRanges) -> AsyncIterator[list[Delivered]]:
    """Read the records of these ranges, each partition's in order, in batches of about `BATCH`.

    Raises:
        TimeoutError: Kafka sent no record for `SILENCE_S`.
    """
    left = {tp: range_ for tp, range_ in ranges.items() if range_.first < range_.end}
    client.assign(list(left))
    for tp, range_ in left.items():
        client.seek(tp, range_.first)
    while left:
        batch, size = list[Delivered](), 0
        while left and len(batch) < BATCH and size < BATCH_BYTES:
            async with asyncio.timeout(SILENCE_S):
                polled = await _poll(client, left)
            batch += polled
            size += sum(len(record.value or b"") for record in polled)
            left = {tp: r for tp, r in left.items() if await client.position(tp) < r.end}
        yield batch


async def _poll(client: AIOKafkaConsumer, left: OffsetRanges) -> list[Delivered]:
    """Poll until records come, or the positions move over compacted ones (then empty)."""
    before = [await client.position(tp) for tp in left]
    while True:
        polled = await client.getmany(*left, timeout_ms=200, max_records=_POLL)
        if polled or before != [await client.position(tp) for tp in left]:
            return [r for tp, batch in polled.items() for r in batch if r.offset < left[tp].end]


async def messages(kafka: str, topic: Topic) -> AsyncIterator[Sequence[Message[Any]]]:
    """Read a topic's messages from its beginning to its current end; unreadable records are skipped."""
    parse = Parser.of([topic]).parse
    partitions = [TopicPartition(topic.name, number) for number in range(topic.partitions)]
    async with consumer(kafka) as client:
        async for batch in records(client, await offset_ranges(client, partitions)):
            yield [m for record in batch if isinstance(m := parse(record), Message)]


async def directory(kafka: str, rebuild: Rebuild[Any]) -> Directory:
    """Read the compacted topics that a rebuild needs in memory."""
    tables = {body: GlobalTable(kafka, topic, body) for body, topic in rebuild.directory.items()}
    following = [asyncio.create_task(table.follow()) for table in tables.values()]
    try:
        async with asyncio.timeout(SILENCE_S):
            for table in tables.values():
                await table.caught_up()
    finally:
        for task in following:
            task.cancel()
        await asyncio.gather(*following, return_exceptions=True)
    return {body: table.rows for body, table in tables.items()}


async def dead_letter_origins(kafka: str, service: str) -> frozenset[Where]:
    """Read the positions of the records that are dead letters of a service."""
    topic = dead_letters(service)
    partitions = [TopicPartition(topic.name, number) for number in range(topic.partitions)]
    origins: set[Where] = set()
    async with consumer(kafka) as client:
        async for batch in records(client, await offset_ranges(client, partitions)):
            origins.update(where for r in batch if (where := origin(r)))
    return frozenset(origins)
