"""Reading exact stretches of topics, in no group, in batches of bounded size."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from runtime.kafka.clients import reader
from runtime.kafka.global_table import GlobalTable
from runtime.kafka.record_reader import Delivered
from runtime.loop.batch import Where
from runtime.messages.dead_letters import origin
from runtime.messages.message import Message
from runtime.messages.parser import Parser
from runtime.rebuild.declared import Directory, Rebuild
from schemas.topics import Topic, dead_letters

BATCH = 5000
BATCH_BYTES = 32 * 1024 * 1024
"""Records that are built together, and the bytes after which there are fewer; they bound the memory."""

SILENCE_S = 30.0
"""How long the next records may take to come."""

_POLL = 1000
_PARTITION_BYTES = 4 * 1024 * 1024
_FETCH_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Stretch:
    """A partition's records from `first` up to, not including, `end`."""

    first: int
    end: int


Stretches = Mapping[TopicPartition, Stretch]


@asynccontextmanager
async def consumer(kafka: str) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer without a group. Raises KafkaError while Kafka is away."""
    async with reader(
        kafka,
        partition_bytes=_PARTITION_BYTES,
        fetch_bytes=_FETCH_BYTES,
    ) as client:
        yield client


async def spans(
    client: AIOKafkaConsumer, partitions: Iterable[TopicPartition]
) -> dict[TopicPartition, Stretch]:
    """What these partitions hold now."""
    wanted = list(partitions)
    firsts = await client.beginning_offsets(wanted)
    ends = await client.end_offsets(wanted)
    return {tp: Stretch(firsts[tp], ends[tp]) for tp in wanted}


async def records(client: AIOKafkaConsumer, stretches: Stretches) -> AsyncIterator[list[Delivered]]:
    """The records of these stretches, each partition's in order, about `BATCH` at a time.

    Raises:
        TimeoutError: none came for `SILENCE_S`.
    """
    left = {tp: stretch for tp, stretch in stretches.items() if stretch.first < stretch.end}
    client.assign(list(left))
    for tp, stretch in left.items():
        client.seek(tp, stretch.first)
    while left:
        batch, size = list[Delivered](), 0
        while left and len(batch) < BATCH and size < BATCH_BYTES:
            async with asyncio.timeout(SILENCE_S):
                some = await _some(client, left)
            batch += some
            size += sum(len(record.value or b"") for record in some)
            left = {tp: s for tp, s in left.items() if await client.position(tp) < s.end}
        yield batch


async def _some(client: AIOKafkaConsumer, left: Stretches) -> list[Delivered]:
    """The next records; none when only the positions moved, as over what compaction took away."""
    before = [await client.position(tp) for tp in left]
    while True:
        polled = await client.getmany(*left, timeout_ms=200, max_records=_POLL)
        if polled or before != [await client.position(tp) for tp in left]:
            return [r for tp, found in polled.items() for r in found if r.offset < left[tp].end]


async def messages(kafka: str, topic: Topic) -> AsyncIterator[Sequence[Message[Any]]]:
    """What can be read on a topic, from its beginning to its end of now."""
    parse = Parser.of([topic]).parse
    partitions = [TopicPartition(topic.name, number) for number in range(topic.partitions)]
    async with consumer(kafka) as client:
        async for batch in records(client, await spans(client, partitions)):
            yield [m for record in batch if isinstance(m := parse(record), Message)]


async def directory(kafka: str, rebuild: Rebuild[Any]) -> Directory:
    """The compacted topics that a rebuild needs in memory, as they are now."""
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


async def buried(kafka: str, service: str) -> frozenset[Where]:
    """Where the records came from that are among a service's dead letters."""
    topic = dead_letters(service)
    partitions = [TopicPartition(topic.name, number) for number in range(topic.partitions)]
    found: set[Where] = set()
    async with consumer(kafka) as client:
        async for batch in records(client, await spans(client, partitions)):
            found.update(where for r in batch if (where := origin(r)))
    return frozenset(found)
