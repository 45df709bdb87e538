"""Creates and closes all Kafka clients, except the worker's group consumer, which is FastStream's.

`runtime/loop/polling.py` adapts that one.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterable
from contextlib import asynccontextmanager, suppress

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from runtime.kafka import record_reader
from runtime.kafka_address import client_options

_MIB = 1024 * 1024


@asynccontextmanager
async def open_consumer(
    bootstrap: str,
    partitions: Iterable[TopicPartition] = (),
    *,
    request_timeout_ms: int = 40_000,
    partition_bytes: int = _MIB,
    fetch_bytes: int = 50 * _MIB,
) -> AsyncIterator[AIOKafkaConsumer]:
    """Open a consumer without a group, assigned to these partitions, and close it at the end.

    `partition_bytes` and `fetch_bytes` bound a fetch response, per partition and in total.

    Raises:
        KafkaConnectionError: Kafka is away.
    """
    consumer = await start_consumer(
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


async def start_consumer(
    bootstrap: str,
    *,
    request_timeout_ms: int = 40_000,
    partition_bytes: int = _MIB,
    fetch_bytes: int = 50 * _MIB,
    fetch_wait_ms: int = 500,
) -> AIOKafkaConsumer:
    """Start a consumer as `open_consumer` does; the caller stops it within `closed`."""
    record_reader.install()
    consumer = AIOKafkaConsumer(
        **client_options(bootstrap),
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        request_timeout_ms=request_timeout_ms,
        max_partition_fetch_bytes=partition_bytes,
        fetch_max_bytes=fetch_bytes,
        fetch_max_wait_ms=fetch_wait_ms,
    )
    try:
        await consumer.start()
        # aiokafka: `stop` before the consumer's tasks have run once cancels the task that calls it.
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
    """Start an idempotent producer with `acks=all`; the caller stops it within `closed`.

    Raises:
        KafkaConnectionError: Kafka is away.
    """
    producer = AIOKafkaProducer(
        **client_options(bootstrap),
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
    """Open an admin client. Raises KafkaConnectionError when Kafka is away."""
    client = AIOKafkaAdminClient(**client_options(bootstrap), request_timeout_ms=10_000)
    try:
        await client.start()
        yield client
    finally:
        await closed(client.close())


async def closed(closing: Awaitable[None]) -> None:
    """Wait until a client is closed; raise CancelledError if, and only if, this task was cancelled meanwhile.

    aiokafka mistakes one for the other: it cancels its own tasks, catches our CancelledError as if it were
    theirs, and, when Kafka is away, raises theirs as if it were ours.
    """
    task = asyncio.current_task()
    assert task is not None, "a client is closed within a task"
    before = task.cancelling()
    with suppress(asyncio.CancelledError):
        await closing
    if task.cancelling() > before:
        raise asyncio.CancelledError
