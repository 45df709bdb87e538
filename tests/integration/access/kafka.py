"""Asks a real Kafka what each principal may do: a request for all topics, answered for each of them."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import GroupAuthorizationFailedError
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from runtime.kafka_address import client_options

BROKER = 1
"""The only node."""

_OK, _DENIED = 0, 29
"""Error codes: none, TOPIC_AUTHORIZATION_FAILED."""


async def may_write(kafka: str, topics: Iterable[str]) -> dict[str, bool]:
    """Write a record on each topic, which exists; tell for each whether Kafka took it."""
    builder = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, 10_000)
    builder.append(0, 1000, b"k", b"x", [])
    batch = bytes(builder.build())
    request = ProduceRequest(None, -1, 10_000, [(topic, [(0, batch)]) for topic in topics])
    async with _client(kafka) as client:
        answer = await client.send(BROKER, request)
    return {topic: _allowed(partitions[0][1]) for topic, partitions in answer.topics}


async def may_read(kafka: str, topics: Iterable[str]) -> dict[str, bool]:
    """Fetch from each topic, which exists; tell for each whether Kafka let us."""
    request = FetchRequest(100, 1, 1 << 20, 0, [(topic, [(0, 0, 1024)]) for topic in topics])
    async with _client(kafka) as client:
        answer = await client.send(BROKER, request)
    return {topic: _allowed(partitions[0][1]) for topic, partitions in answer.topics}


async def may_join(kafka: str, group: str, topic: str) -> bool:
    """Join a consumer group; tell whether Kafka let us."""
    consumer = AIOKafkaConsumer(topic, group_id=group, **client_options(kafka))
    try:
        async with asyncio.timeout(20):
            await consumer.start()
            while not consumer.assignment():
                await consumer.getmany(timeout_ms=100)
    except GroupAuthorizationFailedError:
        return False
    finally:
        await consumer.stop()
    return True


@asynccontextmanager
async def _client(kafka: str) -> AsyncIterator[Any]:
    client = AIOKafkaClient(**client_options(kafka))
    await client.bootstrap()
    try:
        yield client
    finally:
        await client.close()


def _allowed(error_code: int) -> bool:
    assert error_code in (_OK, _DENIED), f"Kafka answered {error_code}"
    return error_code == _OK
