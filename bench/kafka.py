"""Kafka for the benchmark itself: recreate topics, fill them before a run, read them after it.

It uses librdkafka, not the client of our services: it is faster, and independent of what is measured.
"""

import asyncio
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError
from confluent_kafka import (
    OFFSET_BEGINNING,
    TIMESTAMP_LOG_APPEND_TIME,
    Consumer,
    KafkaError,
    Message,
    Producer,
    TopicPartition,
)

from bench.data.records import InputRecord
from bench.errors import BenchError
from runtime.kafka.admin import apply_topics
from runtime.kafka.clients import admin
from runtime.kafka_address import librdkafka_options
from schemas.topics import Topic

_FILL: dict[str, Any] = {
    "acks": "all",
    "enable.idempotence": True,
    "partitioner": "murmur2_random",
    "linger.ms": 20,
    "batch.size": 1 << 20,
    "queue.buffering.max.messages": 2_000_000,
    "queue.buffering.max.kbytes": 2_000_000,
    "delivery.report.only.error": True,
}
_READ: dict[str, Any] = {
    "group.id": "bench-outsider",
    "enable.auto.commit": False,
    "isolation.level": "read_committed",
    "enable.partition.eof": True,
    "fetch.min.bytes": 1,
    "queued.min.messages": 500_000,
}
_INTERNAL = "__"
_READ_S = 120.0


@dataclass(frozen=True, slots=True)
class Output:
    """A record as the benchmark read it; `at_ms` is the broker's append time."""

    topic: str
    partition: int
    key: bytes
    value: bytes
    headers: Mapping[str, bytes]
    at_ms: int


async def recreate_topics(bootstrap: str, topics: Iterable[Topic]) -> None:
    """Delete every topic except Kafka's internal ones, and create these."""
    wanted = list(topics)
    async with admin(bootstrap) as client:
        present = [name for name in await client.list_topics() if not name.startswith(_INTERNAL)]
        if present:
            await client.delete_topics(present)
            await _wait_until_deleted(client, present)
    await apply_topics(bootstrap, wanted, replication=1)


async def _wait_until_deleted(
    client: AIOKafkaAdminClient, names: Sequence[str], within_s: float = 30.0
) -> None:
    deadline_s = time.monotonic() + within_s
    while set(names) & set(await client.list_topics()):
        if time.monotonic() > deadline_s:
            raise BenchError(f"Kafka did not delete its topics within {within_s:.0f} s.")
        await asyncio.sleep(0.05)


async def fill(bootstrap: str, topic: str, records: Iterable[InputRecord]) -> int:
    """Write records, wait for all acknowledgements, return their number. Raises BenchError on a refusal."""
    return await asyncio.to_thread(_fill, bootstrap, topic, records)


def _fill(bootstrap: str, topic: str, records: Iterable[InputRecord]) -> int:
    refused: list[KafkaError] = []

    def on_delivery(error: KafkaError | None, _: Message) -> None:
        if error is not None:
            refused.append(error)

    producer = Producer(librdkafka_options(bootstrap) | _FILL)
    count = 0
    for key, value, headers in records:
        producer.produce(topic, value, key, headers=headers, on_delivery=on_delivery)
        count += 1
        if count % 20_000 == 0:
            producer.poll(0)
    left = producer.flush(60)
    if left or refused:
        raise BenchError(f"Kafka did not take {left + len(refused)} of {count} records of {topic}.")
    return count


async def ends(bootstrap: str, topics: Iterable[str]) -> dict[tuple[str, int], int]:
    """Read the end offset of each partition of these topics; transaction markers count."""
    return await asyncio.to_thread(_ends, bootstrap, list(topics))


def _ends(bootstrap: str, topics: Sequence[str]) -> dict[tuple[str, int], int]:
    consumer = Consumer(librdkafka_options(bootstrap) | _READ)
    try:
        return {
            (tp.topic, tp.partition): consumer.get_watermark_offsets(tp, timeout=10)[1]
            for tp in _partitions(consumer, topics)
        }
    finally:
        consumer.close()


async def committed(bootstrap: str, group: str) -> dict[tuple[str, int], int]:
    """Read the committed offsets of a group; empty before its first commit."""
    async with admin(bootstrap) as client:
        try:
            offsets = await client.list_consumer_group_offsets(group)
        except GroupCoordinatorNotAvailableError:
            # Kafka makes the topic of offsets when the first group joins.
            return {}
    return {(tp.topic, tp.partition): offset.offset for tp, offset in offsets.items()}


def read(
    bootstrap: str, topics: Iterable[str], since: Mapping[tuple[str, int], int] | None = None
) -> Iterator[Output]:
    """Read every committed record of these topics, from the beginning or `since` to their current end.

    Raises BenchError when a record has no append time of the broker, or the end is not reached in time.
    """
    consumer = Consumer(librdkafka_options(bootstrap) | _READ)
    try:
        open_ = {(tp.topic, tp.partition) for tp in _partitions(consumer, list(topics))}
        first = since or {}
        consumer.assign(
            [TopicPartition(*tp, first.get(tp, OFFSET_BEGINNING)) for tp in sorted(open_)]
        )
        deadline_s = time.monotonic() + _READ_S
        while open_:
            if time.monotonic() > deadline_s:
                raise BenchError(f"Reading the outputs took longer than {_READ_S:.0f} s.")
            for message in consumer.consume(10_000, timeout=0.5):
                error = message.error()
                if error is None:
                    yield _output(message)
                elif error.code() == KafkaError._PARTITION_EOF:
                    open_.discard((message.topic(), message.partition()))
                else:
                    raise BenchError(f"Reading the outputs failed: {error}.")
    finally:
        consumer.close()


def _partitions(consumer: Consumer, topics: Sequence[str]) -> list[TopicPartition]:
    metadata = consumer.list_topics(timeout=10).topics
    return [TopicPartition(name, number) for name in topics for number in metadata[name].partitions]


def _output(message: Message) -> Output:
    kind, at_ms = message.timestamp()
    if kind != TIMESTAMP_LOG_APPEND_TIME:
        raise BenchError(
            f"{message.topic()} is not stamped by the broker: no rate can be measured."
        )
    headers = {name: value or b"" for name, value in message.headers() or ()}
    return Output(
        message.topic(), message.partition(), message.key(), message.value(), headers, at_ms
    )
