"""Topic pages: errors while Kafka does not answer."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from runtime.errors import KafkaUnavailable
from runtime.kafka.topic_pages import MAX_CONSUMERS, TopicPages


@pytest.fixture
async def silent() -> AsyncIterator[str]:
    """Address of a server that closes each connection without an answer."""

    async def close(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(close, "127.0.0.1", 0)
    async with server:
        host, port = server.sockets[0].getsockname()
        yield f"{host}:{port}"


async def test_every_read_raises_kafka_unavailable_while_kafka_does_not_answer(silent: str) -> None:
    pages = TopicPages(silent)
    for _ in range(MAX_CONSUMERS + 1):
        with pytest.raises(KafkaUnavailable):
            await pages.read("prescriptions.approved.02999001", 0, 10)
        with pytest.raises(KafkaUnavailable):
            await pages.exists("prescriptions.approved.02999001")
    await pages.stop()
