"""Reads topics as an outside party does, with a plain Kafka consumer."""

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from aiokafka import ConsumerRecord, TopicPartition

from runtime.kafka.clients import closed, start_consumer
from schemas.topics import Topic


@dataclass(frozen=True)
class ReceivedRecord:
    """A record and the time of its receipt (seconds, monotonic clock)."""

    topic: str
    ce_id: str
    ce_type: str
    value: bytes
    at_s: float


class Follower:
    """Reads topics from their beginning and keeps every record; calls `on_record` for each."""

    def __init__(
        self,
        bootstrap: str,
        topics: Iterable[Topic],
        on_record: Callable[[ReceivedRecord], None] = lambda _: None,
    ) -> None:
        self._bootstrap = bootstrap
        self._partitions = [
            TopicPartition(topic.name, number)
            for topic in topics
            for number in range(topic.partitions)
        ]
        self._on_record = on_record
        self._task: asyncio.Task[None] | None = None
        self.records: list[ReceivedRecord] = []

    async def __aenter__(self) -> "Follower":
        self._consumer = await start_consumer(self._bootstrap)
        self._consumer.assign(self._partitions)
        self._task = asyncio.create_task(self._follow())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await closed(self._consumer.stop())

    async def _follow(self) -> None:
        while True:
            for records in (await self._consumer.getmany(timeout_ms=100)).values():
                now_s = time.monotonic()
                for record in records:
                    self._keep(record, now_s)

    def _keep(self, record: ConsumerRecord, now_s: float) -> None:
        headers = {name: value.decode(errors="replace") for name, value in record.headers if value}
        received = ReceivedRecord(
            record.topic,
            headers.get("ce_id", ""),
            headers.get("ce_type", ""),
            record.value or b"",
            now_s,
        )
        self.records.append(received)
        self._on_record(received)
