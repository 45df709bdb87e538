"""Makes records of fetch responses, in place of two classes of aiokafka's fetcher.

A header *name* that is not UTF-8 stops aiokafka's consumer for ever: Kafka's protocol requires UTF-8, but the
broker does not check it, and aiokafka 0.14 decodes names while it iterates over a batch, so that every poll of
the partition fails. Here the batch is read a second time, with invalid bytes in names escaped as `\\xff`.

A record is a struct with only the fields that are used. It takes a third of the time of aiokafka's dataclass
with eleven fields.
"""

from collections.abc import Iterator
from typing import Any

import msgspec
from aiokafka import TopicPartition
from aiokafka.consumer import fetcher
from aiokafka.consumer.fetcher import PartitionRecords
from aiokafka.record.default_records import DefaultRecordBatch, _DefaultRecordBatchPy
from aiokafka.record.memory_records import _MemoryRecordsPy

from runtime.messages.message import Headers


class Delivered(msgspec.Struct, frozen=True, gc=False):
    """A record that a consumer delivered; `timestamp` is its append time (ms since 1970)."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers


def install() -> None:
    """Let every consumer of this process read records by this module. Idempotent."""
    # aiokafka has no setting for it; its fetcher looks up these two names at each fetch.
    fetcher.MemoryRecords = _Records
    fetcher.PartitionRecords = _Partition


class _Bytes(bytearray):
    """Bytes whose slices decode without an error; invalid bytes are escaped."""

    def __getitem__(self, index: Any) -> Any:
        part = super().__getitem__(index)
        return _Bytes(part) if isinstance(index, slice) else part

    def decode(self, encoding: str = "utf-8", errors: str = "") -> str:
        return super().decode(encoding, "backslashreplace")


class _TolerantBatch(_DefaultRecordBatchPy):  # type: ignore[misc]
    """aiokafka's batch in Python, which reads any header name."""

    def __init__(self, buffer: Any) -> None:
        super().__init__(buffer)
        self._buffer = _Bytes(buffer)

    def _maybe_uncompress(self) -> None:
        super()._maybe_uncompress()
        self._buffer = _Bytes(self._buffer)


class _Batch:
    """aiokafka's compiled batch; read by `_TolerantBatch` if a header name is not UTF-8."""

    def __init__(self, batch: Any, buffer: bytes) -> None:
        self._batch = batch
        self._buffer = buffer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __next__(self) -> Any:
        return next(self._batch)

    def __iter__(self) -> Iterator[Any]:
        try:
            return iter(list(self._batch))
        except UnicodeDecodeError:
            return iter(list(_TolerantBatch(self._buffer)))


class _Records:
    """The batches of a fetch response."""

    def __init__(self, data: bytes) -> None:
        self._slices = _MemoryRecordsPy(data)

    def has_next(self) -> bool:
        return bool(self._slices.has_next())

    def size_in_bytes(self) -> int:
        return int(self._slices.size_in_bytes())

    def next_batch(self) -> Any:
        # `next_batch` does not give the bytes, and `_Batch` needs them too.
        buffer = self._slices._next_slice
        batch = self._slices.next_batch()
        return _Batch(batch, bytes(buffer)) if isinstance(batch, DefaultRecordBatch) else batch


class _Partition(PartitionRecords):  # type: ignore[misc]
    """The records of one partition in a fetch response."""

    def _consumer_record(self, tp: TopicPartition, record: Any) -> Delivered:
        return Delivered(
            tp.topic,
            tp.partition,
            record.offset,
            record.timestamp,
            record.key,
            record.value,
            tuple(record.headers),
        )
