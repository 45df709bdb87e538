"""End offsets of partitions, read over a connection of their own."""

import asyncio
from collections.abc import Collection, Mapping

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition

from runtime.errors import is_transient
from runtime.kafka.clients import closed, start_consumer

log = structlog.get_logger()

Ranges = Mapping[TopicPartition, tuple[int, int]]
"""Offsets by partition: from the first up to the second, exclusive."""

TIMEOUT_S = 5.0
"""How long Kafka may take to answer."""

_CLOSE_S = 1.0

_FETCH_BYTES = 16 * 1024
"""Small: one record is enough, and Kafka always returns at least one, however large."""


class EndOffsetsClient:
    """Reads end offsets with its own Kafka client, connected at first use.

    All methods raise a transient error while Kafka does not answer.
    """

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._reader: AIOKafkaConsumer | None = None

    async def end_offsets(
        self, partitions: Collection[TopicPartition]
    ) -> Mapping[TopicPartition, int]:
        """Read the end offsets of these partitions. Without partitions, only check that Kafka answers."""
        if self._reader is None:
            self._reader = await start_consumer(
                self._bootstrap,
                request_timeout_ms=int(TIMEOUT_S * 1000),
                partition_bytes=_FETCH_BYTES,
            )
        if not partitions:
            await self._reader.topics()
            return {}
        ends: dict[TopicPartition, int] = await self._reader.end_offsets([*partitions])
        return ends

    async def without_records(self, ranges: Ranges) -> Collection[TopicPartition]:
        """Find the partitions whose range holds no record, only transaction markers."""
        reader = self._reader
        assert reader is not None, "call end_offsets first"
        reader.assign([*ranges])
        try:
            return await _without_records(reader, ranges)
        finally:
            reader.unsubscribe()

    async def disconnect(self) -> None:
        """Close the client, or abandon it after a second."""
        reader, self._reader = self._reader, None
        if reader is None:
            return
        try:
            async with asyncio.timeout(_CLOSE_S):
                await closed(reader.stop())
        except Exception as error:
            if not is_transient(error):
                raise
            log.info("end offsets client not closed", error=type(error).__name__)


async def _without_records(reader: AIOKafkaConsumer, ranges: Ranges) -> set[TopicPartition]:
    for tp, (begin, _) in ranges.items():
        reader.seek(tp, begin)
    empty: set[TopicPartition] = set()
    left = set(ranges)
    while left:
        left -= (await reader.getmany(*left, timeout_ms=500)).keys()
        empty |= {tp for tp in left if await reader.position(tp) >= ranges[tp][1]}
        left -= empty
    return empty
