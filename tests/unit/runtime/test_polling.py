"""Polling: what has come is handed over at once, and finding nothing takes no longer than it must."""

import asyncio
from collections.abc import Coroutine
from typing import Any, cast

import pytest
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from faststream.kafka import KafkaBroker

from runtime.kafka.record_reader import Delivered
from runtime.loop.polling import POLL_MS, Fetched, polled, subscribe
from schemas.topics import ORDERS_REQUESTS

FIRST, SECOND = TopicPartition("orders.requests", 0), TopicPartition("orders.requests", 1)


class _Kafka:
    """A consumer that never waits: what it has, it says."""

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
        """Nothing is."""

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Nothing is."""


def _poll(kafka: _Kafka) -> Coroutine[Any, Any, tuple[Delivered, ...]]:
    return polled(cast(AIOKafkaConsumer, kafka), timeout_ms=500, max_records=1000)


def test_what_all_partitions_brought_is_handed_over_in_one() -> None:
    kafka = _Kafka({FIRST: ["a", "b"], SECOND: ["c"]})
    with pytest.raises(StopIteration) as ended:
        _poll(kafka).send(None)
    assert ended.value.value == ("a", "b", "c")
    assert kafka.asked == [(500, 1000)]


def test_a_poll_that_finds_nothing_does_not_wait_after_it() -> None:
    """Given Kafka has nothing, when its answer is there, then the poll ends in that same step."""
    with pytest.raises(StopIteration) as ended:
        _poll(_Kafka({})).send(None)
    assert ended.value.value == ()


async def test_faststreams_own_poll_waits() -> None:
    """When this fails, FastStream no longer sleeps after an empty poll, and ours can go."""
    subscriber = KafkaBroker().subscriber("orders.requests", batch=True)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await subscriber.get_msg(cast(AIOKafkaConsumer, _Kafka({})))


async def test_a_subscriber_polls_with_ours() -> None:
    """Given a subscriber that is made as the worker makes its own, when it polls, then it does not wait."""

    async def handle(fetched: Fetched) -> None:
        raise AssertionError(f"nothing was consumed: {fetched}")

    subscriber = subscribe(
        KafkaBroker(),
        [ORDERS_REQUESTS],
        handle,
        _Listener(),
        group="ordering",
        gather_ms=0,
        max_records=10,
        session_timeout_ms=10_000,
    )
    kafka = _Kafka({FIRST: ["a"]})
    assert await subscriber.get_msg(cast(AIOKafkaConsumer, kafka)) == ("a",)
    assert kafka.asked == [(POLL_MS, 10)]
