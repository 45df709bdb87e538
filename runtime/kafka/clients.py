"""Kafka clients: made here and nowhere else, and closed so that being cancelled meanwhile is not lost.

A worker's consumer in its group is FastStream's: see `runtime/loop/polling.py`.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterable
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from runtime.kafka import record_reader

_MIB = 1024 * 1024


@asynccontextmanager
async def reader(
    bootstrap: str,
    partitions: Iterable[TopicPartition] = (),
    *,
    request_timeout_ms: int = 40_000,
    partition_bytes: int = _MIB,
    fetch_bytes: int = 50 * _MIB,
) -> AsyncIterator[AIOKafkaConsumer]:
    """A started consumer outside any group, assigned to these partitions; closed at the end.

    `partition_bytes` and `fetch_bytes` bound what one request brings, of one partition and in all.

    Raises:
        KafkaConnectionError: Kafka is away.
    """
    consumer = await start_reader(
        bootstrap,
        request_timeout_ms=request_timeout_ms,
        partition_bytes=partition_bytes,
        fetch_bytes=fetch_bytes,
    )
    try:
        if assigned := [*partitions]:
            consumer.assign(assigned)
        yield consumer
    finally:
        await closed(consumer.stop())


async def start_reader(
    bootstrap: str,
    *,
    request_timeout_ms: int = 40_000,
    partition_bytes: int = _MIB,
    fetch_bytes: int = 50 * _MIB,
) -> AIOKafkaConsumer:
    """As `reader`, for who keeps it longer than a block; it is to be stopped within `closed`."""
    record_reader.install()
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        request_timeout_ms=request_timeout_ms,
        max_partition_fetch_bytes=partition_bytes,
        fetch_max_bytes=fetch_bytes,
    )
    try:
        await consumer.start()
        # One that is stopped before its own tasks have run once cancels the task that stops it.
        await asyncio.sleep(0)
    except BaseException:
        await closed(consumer.stop())
        raise
    return consumer


async def start_producer(
    bootstrap: str,
    *,
    client_id: str,
    batch_bytes: int = 512 * 1024,
    request_timeout_ms: int = 10_000,
) -> AIOKafkaProducer:
    """A started producer, idempotent, acknowledged by all in-sync replicas; to be stopped within `closed`.

    Raises:
        KafkaConnectionError: Kafka is away.
    """
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        client_id=client_id,
        acks="all",
        enable_idempotence=True,
        max_batch_size=batch_bytes,
        max_request_size=8 * _MIB,
        request_timeout_ms=request_timeout_ms,
    )
    try:
        await producer.start()
    except BaseException:
        await closed(producer.stop())
        raise
    return producer


@asynccontextmanager
async def admin(bootstrap: str) -> AsyncIterator[AIOKafkaAdminClient]:
    """An admin client. Raises KafkaConnectionError while Kafka is away."""
    client = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=10_000)
    try:
        await client.start()
        yield client
    finally:
        await closed(client.close())


async def closed(closing: Awaitable[None]) -> None:
    """Wait for a client to close. Raises CancelledError when this task was cancelled meanwhile.

    aiokafka's own does not: it cancels a task of its own there, and takes our being cancelled for that one's.
    """
    doing = asyncio.current_task()
    assert doing is not None, "a client is closed within a task"
    before = doing.cancelling()
    await closing
    if doing.cancelling() > before:
        raise asyncio.CancelledError
