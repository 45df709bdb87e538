"""Polling: records are returned at once, and there is no wait after an empty poll."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, cast

import pytest
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from faststream.kafka import KafkaBroker

from runtime.kafka.record_reader import Delivered
from runtime.loop.polling import POLL_MS, Fetched, poll, subscribe
from runtime.observability.logs import FASTSTREAM
from schemas.topics import ORDERS_REQUESTS

FIRST, SECOND = TopicPartition("orders.requests", 0), TopicPartition("orders.requests", 1)


class _Kafka:
    """A consumer that answers at once with `held`."""

    def __init__(self, held: dict[TopicPartition, list[str]]) -> None:
        self._held = held
        self.asked: list[tuple[int, int]] = []

    async def getmany(
        self, *, timeout_ms: int, max_records: int
    ) -> dict[TopicPartition, list[str]]:
        self.asked.append((timeout_ms, max_records))
        return self._held


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]
    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Do nothing."""

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Do nothing."""


def _poll(kafka: _Kafka) -> Coroutine[Any, Any, tuple[Delivered, ...]]:
    return poll(cast(AIOKafkaConsumer, kafka), timeout_ms=500, max_records=1000)


def test_records_of_all_partitions_are_returned_together() -> None:
    kafka = _Kafka({FIRST: ["a", "b"], SECOND: ["c"]})
    with pytest.raises(StopIteration) as ended:
        _poll(kafka).send(None)
    assert ended.value.value == ("a", "b", "c")
    assert kafka.asked == [(500, 1000)]


def test_an_empty_poll_does_not_wait_afterwards() -> None:
    """Given no records; when the consumer returns; then the poll ends without another await."""
    with pytest.raises(StopIteration) as ended:
        _poll(_Kafka({})).send(None)
    assert ended.value.value == ()


async def test_faststreams_own_poll_waits() -> None:
    """When this fails, FastStream does not sleep after an empty poll, and our poll can be removed."""
    subscriber = KafkaBroker().subscriber("orders.requests", batch=True)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await subscriber.get_msg(cast(AIOKafkaConsumer, _Kafka({})))


def test_faststream_logs_as_everything_else_does() -> None:
    """When it has a handler of its own, its lines are no JSON, and hold messages of exceptions."""
    logger = logging.getLogger(FASTSTREAM)
    assert logger.propagate
    assert not logger.handlers


async def test_the_workers_subscriber_uses_our_poll() -> None:
    async def handle(fetched: Fetched) -> None:
        raise AssertionError(f"nothing was consumed: {fetched}")

    subscriber = subscribe(
        KafkaBroker(),
        [ORDERS_REQUESTS],
        handle,
        _Listener(),
        group="ordering",
        fetch_wait_ms=0,
        max_records=10,
        session_timeout_ms=10_000,
    )
    assert not subscriber.topics_to_create, "a service may not create topics"
    kafka = _Kafka({FIRST: ["a"]})
    assert await subscriber.get_msg(cast(AIOKafkaConsumer, kafka)) == ("a",)
    assert kafka.asked == [(POLL_MS, 10)]
