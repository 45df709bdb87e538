"""Publishing to Kafka: idempotent, acknowledged by all in-sync replicas, in order.

Record batches are built per partition, which costs a fraction of one `send` per record.
"""

import asyncio
import time
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.producer.message_accumulator import BatchBuilder

from runtime.backoff import Backoff
from runtime.kafka.clients import closed, start_producer
from runtime.messages.message import Outgoing
from runtime.messages.partitioner import partition_of
from runtime.messages.positions import Acknowledged

log = structlog.get_logger()

PUBLISH_S = 25.0
"""How long a batch may take before it is tried with another producer: aiokafka by itself tries for ever."""


_Sent: TypeAlias = "tuple[asyncio.Future[Any], int]"
"""What Kafka will acknowledge a batch with, and how many records it has."""


class NotPublished(OSError):
    """The broker did not acknowledge in time: whether it has the record is unknown."""


class Producer:
    """One producer, made anew whenever it fails in a way it does not recover from."""

    def __init__(self, bootstrap: str, client_id: str, request_timeout_s: float = 10.0) -> None:
        self._bootstrap = bootstrap
        self._client_id = client_id
        self._timeout_s = request_timeout_s
        self._producer: AIOKafkaProducer | None = None
        self._partitions: dict[str, int] = {}
        self._starting = asyncio.Lock()
        self._may_send = False
        self._silent_since_s: float | None = None
        """Since when (monotonic) no record of `send` was acknowledged in time; None when the last was."""

    async def start(self) -> None:
        """Connect, and let `send` take records. Raises KafkaError while Kafka is away."""
        await self._started()
        self._may_send = True

    async def stop(self) -> None:
        """Send what is in flight and disconnect."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await closed(producer.stop())

    async def ping(self) -> None:
        """Ask Kafka for its metadata. Raises NotPublished when it does not answer."""
        producer = await self._started()
        if not await producer.client.force_metadata_update():
            raise NotPublished("no broker answers")

    async def publish(self, records: Sequence[Outgoing]) -> list[Acknowledged]:
        """Publish all, in order, however long it takes: on failure everything is sent again.

        A repeat is a raw duplicate with the same `ce_id`; consumers drop it. Returns how far each
        partition is acknowledged by that.
        """
        backoff = Backoff()
        while True:
            try:
                async with asyncio.timeout(PUBLISH_S):
                    return await self._send_all(records)
            except (KafkaError, TimeoutError, OSError) as error:
                log.warning("publish failed, trying again", error=type(error).__name__)
                await self._discard()
                await backoff.wait()

    async def send(self, record: Outgoing) -> None:
        """Publish one record and wait for the broker's word.

        Raises:
            NotPublished: no acknowledgement within the request time-out, or not started yet.
        """
        if not self._may_send:
            raise NotPublished("not started")
        try:
            async with asyncio.timeout(self._timeout_s):
                producer = self._producer or await self._started()
                partition = await self._partition(producer, record)
                sent = await producer.send(
                    record.topic,
                    key=record.key,
                    value=record.value,
                    headers=record.headers,
                    partition=partition,
                )
                await sent
        except (KafkaError, TimeoutError, OSError) as error:
            await self._note_silence()
            raise NotPublished(type(error).__name__) from error
        self._silent_since_s = None

    async def _note_silence(self) -> None:
        """Take another producer when this one has been silent for long, whatever it waits for."""
        now_s = time.monotonic()
        if self._silent_since_s is None:
            self._silent_since_s = now_s
        elif now_s - self._silent_since_s > 2 * self._timeout_s:
            self._silent_since_s = None
            await self._discard()

    async def _started(self) -> AIOKafkaProducer:
        async with self._starting:
            if self._producer is None:
                self._producer = await start_producer(
                    self._bootstrap,
                    client_id=self._client_id,
                    request_timeout_ms=int(self._timeout_s * 1000),
                )
            return self._producer

    async def _discard(self) -> None:
        producer, self._producer = self._producer, None
        if producer is None:
            return
        try:
            # What is still in flight may be given up: the outbox has it, and it is sent again.
            async with asyncio.timeout(1.0):
                await closed(producer.stop())
        except (KafkaError, TimeoutError, OSError) as error:
            log.warning("old producer did not stop cleanly", error=type(error).__name__)

    async def _send_all(self, records: Iterable[Outgoing]) -> list[Acknowledged]:
        producer = await self._started()
        batches: dict[tuple[str, int], BatchBuilder] = {}
        sent: list[_Sent] = []
        for record in records:
            where = (record.topic, await self._partition(producer, record))
            batch = batches.get(where)
            if batch is None:
                batch = batches[where] = producer.create_batch()
            if not _append(batch, record):
                sent.append(await _send(producer, batch, where))
                batch = batches[where] = producer.create_batch()
                _append(batch, record)
        for where, batch in batches.items():
            sent.append(await _send(producer, batch, where))
        await asyncio.gather(*(future for future, _ in sent))
        return [_acknowledged(future.result(), records) for future, records in sent]

    async def _partition(self, producer: AIOKafkaProducer, record: Outgoing) -> int:
        # A topic's partitions never change once it has data, so they are asked for once.
        count = self._partitions.get(record.topic)
        if count is None:
            count = self._partitions[record.topic] = len(
                await producer.partitions_for(record.topic)
            )
        return partition_of(record.key, count) if record.key else 0


def _append(batch: BatchBuilder, record: Outgoing) -> bool:
    appended = batch.append(
        timestamp=None, key=record.key, value=record.value, headers=record.headers
    )
    return appended is not None


async def _send(producer: AIOKafkaProducer, batch: BatchBuilder, where: tuple[str, int]) -> _Sent:
    batch.close()
    future = await producer.send_batch(batch, where[0], partition=where[1])
    return future, batch.record_count()


def _acknowledged(sent: Any, records: int) -> Acknowledged:
    # What the broker had already, from before, is acknowledged without an offset: -1.
    next_offset = sent.offset + records if sent.offset >= 0 else 0
    return Acknowledged(sent.topic, sent.partition, next_offset, sent.timestamp)
