"""End offsets of partitions, and offset ranges without records, on a real Kafka."""

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition

from deploy.local import LocalStack
from runtime.kafka.admin import apply_topics
from runtime.kafka_address import client_options
from runtime.loop.end_offsets import EndOffsetsClient
from schemas.topics import Topic
from tests.harness.kafka import eventually


@pytest.fixture
async def topic(stack: LocalStack) -> str:
    """Create a topic with two partitions."""
    nobody: frozenset[str] = frozenset()
    made = Topic(f"test.{uuid4().hex}", "", (), nobody, nobody, timedelta(hours=1), partitions=2)
    await apply_topics(stack.kafka, [made], 1)
    return made.name


@pytest.fixture
async def asking(stack: LocalStack) -> AsyncIterator[EndOffsetsClient]:
    """Return the connection that the watchdog uses."""
    connection = EndOffsetsClient(stack.kafka)
    yield connection
    await connection.disconnect()


async def in_a_transaction(kafka: str, topic: str, *partitions: int) -> None:
    """Write one record to each of these partitions, in one transaction."""
    producer = AIOKafkaProducer(**client_options(kafka), transactional_id=uuid4().hex)
    await producer.start()
    try:
        async with producer.transaction():
            for partition in partitions:
                await producer.send(topic, value=b"a record", partition=partition)
    finally:
        await producer.stop()


async def test_the_end_of_a_transaction_takes_an_offset_and_is_no_record(
    stack: LocalStack, topic: str, asking: EndOffsetsClient
) -> None:
    """Given one transaction on a partition, two on the other; then a range of commit markers has no record."""
    one, other = TopicPartition(topic, 0), TopicPartition(topic, 1)
    await in_a_transaction(stack.kafka, topic, 0, 1)
    await in_a_transaction(stack.kafka, topic, 1)
    # A commit is answered before its markers are written.
    ends = {one: 2, other: 4}
    await eventually(lambda: asking.end_offsets([one, other]), lambda found: found == ends)
    assert set(await asking.without_records({one: (1, 2), other: (1, 4)})) == {one}
    assert set(await asking.without_records({one: (0, 2), other: (3, 4)})) == {other}


async def test_it_can_be_asked_again_and_after_it_was_disconnected(
    topic: str, asking: EndOffsetsClient
) -> None:
    """Given a connection that is used again, also after a disconnect; then it answers."""
    where = TopicPartition(topic, 0)
    for _ in range(2):
        assert await asking.end_offsets([where]) == {where: 0}
        assert await asking.end_offsets([]) == {}
        await asking.disconnect()
