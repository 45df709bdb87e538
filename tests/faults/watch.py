"""Watch a topic's new records, with one consumer that starts at its end."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from aiokafka import AIOKafkaConsumer, ConsumerRecord

from deploy.local import LocalStack
from runtime.kafka_address import client_options
from schemas import topics
from schemas.records.orders import OrderDecided
from tests.harness.kafka import header

_MOMENTS = ("decided_at", "signalled_at", "cancelled_at", "escalated_at", "at")
"""The fields that say when an order's event happened, by type."""

ON_ITS_WAY_S = 0.1
"""How long after a process has died Kafka may still append records that it sent."""


@dataclass(frozen=True)
class Moment:
    """A point in time: in ms since 1970, as in Kafka's timestamps, and in monotonic seconds."""

    wall_ms: float
    monotonic_s: float


def now() -> Moment:
    return Moment(time.time() * 1000, time.monotonic())


class Watch:
    """The records since the watch began, each with when it was read (monotonic seconds) and its own time (ms).

    The time of an event on orders.events is that of its decision; on other topics it is the append time.
    """

    def __init__(self, topic: str) -> None:
        self.records: list[ConsumerRecord] = []
        self._topic = topic
        self._of = _decided_ms if topic == topics.ORDERS_EVENTS.name else _appended_ms
        self._seen: list[tuple[float, float]] = []
        self._more = asyncio.Condition()

    async def recovery(self, since: Moment, within_s: float = 60.0) -> float:
        """Wait for the first output made after `since`; return the seconds until it was read.

        On orders.events that is a decision on a command that Kafka appended after `since`.
        """
        earliest_ms = since.wall_ms + ON_ITS_WAY_S * 1000
        seen_s = await self._first(lambda of_ms: of_ms > earliest_ms, within_s)
        return seen_s - since.monotonic_s

    async def all_decided(self, orders: Iterable[UUID], within_s: float) -> float:
        """Wait until these orders are decided; return when the last decision was read (monotonic seconds)."""
        missing = {str(order) for order in orders}
        looked = 0
        async with asyncio.timeout(within_s), self._more:
            while True:
                missing -= {
                    header(record, "ce_subject")
                    for record in self.records[looked:]
                    if header(record, "ce_type") == OrderDecided.ce_type()
                }
                looked = len(self.records)
                if not missing:
                    return self._seen[-1][0]
                await self._more.wait()

    async def _first(self, such: Callable[[float], bool], within_s: float) -> float:
        looked = 0
        async with asyncio.timeout(within_s), self._more:
            while True:
                for seen_s, of_ms in self._seen[looked:]:
                    if such(of_ms):
                        return seen_s
                looked = len(self._seen)
                await self._more.wait()

    async def follow(self, consumer: AIOKafkaConsumer) -> None:
        """Collect what the consumer reads, until cancelled."""
        while True:
            for batch in (await consumer.getmany(timeout_ms=1000)).values():
                async with self._more:
                    self.records.extend(batch)
                    self._seen.extend((time.monotonic(), self._of(record)) for record in batch)
                    self._more.notify_all()


@asynccontextmanager
async def watching(
    stack: LocalStack, topic: str = topics.ORDERS_EVENTS.name
) -> AsyncIterator[Watch]:
    """Watch a topic from its current end while the body runs."""
    consumer = AIOKafkaConsumer(
        topic,
        **client_options(stack.kafka),
        auto_offset_reset="latest",
        metadata_max_age_ms=1000,
        retry_backoff_ms=50,
    )
    await consumer.start()
    try:
        for partition in consumer.assignment():
            await consumer.position(partition)
        watch = Watch(topic)
        following = asyncio.create_task(watch.follow(consumer))
        try:
            yield watch
        finally:
            following.cancel()
            await asyncio.wait({following})
    finally:
        await consumer.stop()


def _appended_ms(record: ConsumerRecord) -> float:
    return float(record.timestamp)


def _decided_ms(record: ConsumerRecord) -> float:
    """When Kafka appended the command that led to an order's event (ms)."""
    body = json.loads(record.value)
    moment = next(body[name] for name in _MOMENTS if name in body)
    return datetime.fromisoformat(moment).timestamp() * 1000
