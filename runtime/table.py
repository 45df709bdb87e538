"""A compacted topic in memory: the newest body of each key, for small topics that all workers need."""

import asyncio
from collections.abc import Mapping
from typing import Generic, TypeVar

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from runtime.backoff import Backoff
from runtime.parsing import Parser
from runtime.records import Message, Record
from schemas.base import Body
from schemas.topics import Topic

log = structlog.get_logger()

T = TypeVar("T", bound=Body)


class Table(Generic[T]):
    """Follows one compacted topic. Read it only after `caught_up`."""

    def __init__(self, bootstrap: str, topic: Topic, body: type[T]) -> None:
        self._bootstrap = bootstrap
        self._topic = topic
        self._body = body
        self._parser = Parser.of([topic])
        self._rows: dict[str, T] = {}
        self._caught_up = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def rows(self) -> Mapping[str, T]:
        """The newest body of each key."""
        return self._rows

    @property
    def is_caught_up(self) -> bool:
        """Whether everything that was there at the start has been read."""
        return self._caught_up.is_set()

    async def caught_up(self) -> None:
        """Wait until everything that was there at the start has been read."""
        await self._caught_up.wait()

    def start(self) -> None:
        """Read from the beginning, then follow."""
        self._task = asyncio.create_task(self._follow())

    async def stop(self) -> None:
        """Stop following."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _follow(self) -> None:
        backoff = Backoff()
        while True:
            try:
                await self._read()
            except (KafkaError, OSError, TimeoutError) as error:
                log.warning(
                    "waiting for a table", topic=self._topic.name, error=type(error).__name__
                )
                await backoff.wait()

    async def _read(self) -> None:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap,
            auto_offset_reset="earliest",
            enable_auto_commit=False,
        )
        await consumer.start()
        try:
            partitions = [
                TopicPartition(self._topic.name, p) for p in range(self._topic.partitions)
            ]
            consumer.assign(partitions)
            ends = await consumer.end_offsets(partitions)
            while True:
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    for record in records:
                        self._note(record)
                if not self._caught_up.is_set():
                    positions = [await consumer.position(tp) >= ends[tp] for tp in partitions]
                    if all(positions):
                        self._caught_up.set()
        finally:
            await consumer.stop()

    def _note(self, record: Record) -> None:
        message = self._parser.parse(record)
        if not isinstance(message, Message):
            # Our own CLI checks and writes these; an unreadable one leaves the entry as it was.
            log.error("unreadable table record", topic=record.topic, offset=record.offset)
        elif message.body is None:
            self._rows.pop(message.key, None)
        elif isinstance(message.body, self._body):
            self._rows[message.key] = message.body
