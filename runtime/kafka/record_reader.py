"""How records are made of what Kafka sends: as aiokafka's fetcher does it, but for two things.

Records whose header *names* are not UTF-8 stop aiokafka's consumer for good. Kafka's protocol says that a
name is a UTF-8 string, but the broker checks nothing, and aiokafka 0.14 decodes names while it iterates over a
batch: one such record fails every poll of its partition from then on. Here such a batch is read again with
names that show the odd bytes as `\\xff`, and its records arrive like any.

And a record is a struct with what is looked at here, made and forgotten in a third of the time of aiokafka's
dataclass with eleven fields.
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
    """A record as it was delivered; `timestamp` is the broker's append time (ms since 1970)."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers


def install() -> None:
    """Have every consumer of this process read so. Calling it again changes nothing."""
    # aiokafka has no hook for how records are read; the fetcher looks these names up at each fetch.
    fetcher.MemoryRecords = _Records
    fetcher.PartitionRecords = _Partition


class _Bytes(bytearray):
    """Bytes whose slices decode any content."""

    def __getitem__(self, index: Any) -> Any:
        found = super().__getitem__(index)
        return _Bytes(found) if isinstance(index, slice) else found

    def decode(self, encoding: str = "utf-8", errors: str = "") -> str:
        return super().decode(encoding, "backslashreplace")


class _SlowBatch(_DefaultRecordBatchPy):  # type: ignore[misc]
    def __init__(self, buffer: Any) -> None:
        super().__init__(buffer)
        self._buffer = _Bytes(buffer)

    def _maybe_uncompress(self) -> None:
        super()._maybe_uncompress()
        self._buffer = _Bytes(self._buffer)


class _Batch:
    """The fast reader's batch, read by the slow one when it holds a record that the fast one cannot read."""

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
            return iter(list(_SlowBatch(self._buffer)))


class _Records:
    """A fetch response's batches."""

    def __init__(self, data: bytes) -> None:
        self._slices = _MemoryRecordsPy(data)

    def has_next(self) -> bool:
        return bool(self._slices.has_next())

    def size_in_bytes(self) -> int:
        return int(self._slices.size_in_bytes())

    def next_batch(self) -> Any:
        # The slices' own reader would make a batch of them at once; its bytes are wanted as well.
        buffer = self._slices._next_slice
        batch = self._slices.next_batch()
        return _Batch(batch, bytes(buffer)) if isinstance(batch, DefaultRecordBatch) else batch


class _Partition(PartitionRecords):  # type: ignore[misc]
    """A fetch response's records of one partition."""

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
