"""Publishes to Kafka: idempotent, in order, acknowledged by all in-sync replicas.

Records are sent as one batch per partition, which takes a fraction of the processor time of `send` per record.
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
"""After this, a batch is sent again by a new producer: aiokafka itself retries for ever."""

_Sent: TypeAlias = "tuple[asyncio.Future[Any], int]"
"""The future acknowledgement of a batch, and its number of records."""


class NotPublished(OSError):
    """The broker did not acknowledge in time, so it may or may not have the record."""


class Producer:
    """An aiokafka producer that is replaced after a failure from which it does not recover."""

    def __init__(self, bootstrap: str, client_id: str, request_timeout_s: float = 10.0) -> None:
        self._bootstrap = bootstrap
        self._client_id = client_id
        self._timeout_s = request_timeout_s
        self._producer: AIOKafkaProducer | None = None
        self._partitions: dict[str, int] = {}
        self._starting = asyncio.Lock()
        self._may_send = False
        self._silent_since_s: float | None = None
        """Since when (monotonic) `send` has had no acknowledgement; None if the last record had one."""

    async def start(self) -> None:
        """Connect; from then on `send` accepts records. Raises KafkaError when Kafka is away."""
        await self._started()
        self._may_send = True

    async def stop(self) -> None:
        """Flush and disconnect."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await closed(producer.stop())

    async def ping(self) -> None:
        """Request the metadata of the cluster. Raises NotPublished when no broker answers."""
        producer = await self._started()
        if not await producer.client.force_metadata_update():
            raise NotPublished("no broker answers")

    async def publish(self, records: Sequence[Outgoing]) -> list[Acknowledged]:
        """Publish records in order and return their acknowledgements; retry for ever.

        After a failure all of them are sent again. Consumers drop the duplicates by their `ce_id`.
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
        """Publish one record and wait until it is acknowledged.

        Raises:
            NotPublished: not acknowledged within the request timeout, or not started yet.
        """
        if not self._may_send:
            raise NotPublished("not started")
        try:
            async with asyncio.timeout(self._timeout_s):
                producer = self._producer or await self._started()
                partition = await self._partition(producer, record)
                acknowledgement = await producer.send(
                    record.topic,
                    key=record.key,
                    value=record.value,
                    headers=record.headers,
                    partition=partition,
                )
                await acknowledgement
        except (KafkaError, TimeoutError, OSError) as error:
            await self._note_silence()
            raise NotPublished(type(error).__name__) from error
        self._silent_since_s = None

    async def _note_silence(self) -> None:
        """Replace the producer when it has had no acknowledgement for two request timeouts."""
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
            # Records in flight may be lost: they are in the outbox and will be sent again.
            async with asyncio.timeout(1.0):
                await closed(producer.stop())
        except (KafkaError, TimeoutError, OSError) as error:
            log.warning("old producer did not stop cleanly", error=type(error).__name__)

    async def _send_all(self, records: Iterable[Outgoing]) -> list[Acknowledged]:
        producer = await self._started()
        batches: dict[tuple[str, int], BatchBuilder] = {}
        sent: list[_Sent] = []
        for record in records:
            target = (record.topic, await self._partition(producer, record))
            batch = batches.get(target)
            if batch is None:
                batch = batches[target] = producer.create_batch()
            if not _append(batch, record):
                sent.append(await _send(producer, batch, target))
                batch = batches[target] = producer.create_batch()
                _append(batch, record)
        for target, batch in batches.items():
            sent.append(await _send(producer, batch, target))
        await asyncio.gather(*(future for future, _ in sent))
        return [_acknowledged(future.result(), records) for future, records in sent]

    async def _partition(self, producer: AIOKafkaProducer, record: Outgoing) -> int:
        # Our topics never change their number of partitions, so one request per topic is enough.
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


async def _send(producer: AIOKafkaProducer, batch: BatchBuilder, target: tuple[str, int]) -> _Sent:
    batch.close()
    topic, partition = target
    future = await producer.send_batch(batch, topic, partition=partition)
    return future, batch.record_count()


def _acknowledged(metadata: Any, records: int) -> Acknowledged:
    # A batch that the broker recognises as a duplicate is acknowledged with offset -1.
    next_offset = metadata.offset + records if metadata.offset >= 0 else 0
    return Acknowledged(metadata.topic, metadata.partition, next_offset, metadata.timestamp)
