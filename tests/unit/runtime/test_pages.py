"""Reading pages from Kafka: below HTTP, a failure is an error of its own."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from runtime.errors import KafkaUnavailable
from runtime.kafka.topic_pages import MAX_CONSUMERS, TopicPages


@pytest.fixture
async def silent() -> AsyncIterator[str]:
    """The address of a server that accepts connections and closes them without a word."""

    async def close(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(close, "127.0.0.1", 0)
    async with server:
        host, port = server.sockets[0].getsockname()
        yield f"{host}:{port}"


async def test_no_answer_of_kafka_is_an_error_of_its_own_each_time(silent: str) -> None:
    pages = TopicPages(silent)
    for _ in range(MAX_CONSUMERS + 1):
        with pytest.raises(KafkaUnavailable):
            await pages.read("prescriptions.approved.02010001", 0, 10)
    await pages.stop()
