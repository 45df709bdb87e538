"""Records that Kafka delivers, messages that handlers read, and outgoing records and timers."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from itertools import groupby
from operator import attrgetter
from typing import Generic, Protocol, TypeVar

import msgspec
from aiokafka import TopicPartition

from schemas.base import Body

Headers = Sequence[tuple[str, bytes | None]]


_RECORD_OVERHEAD = 160
"""The header of a batch (61 bytes), and lengths, offset and timestamp of one record."""

B = TypeVar("B", bound=Body, covariant=True)


class Record(Protocol):
    """A record that a consumer delivers."""

    @property
    def topic(self) -> str:
        """The topic it came from."""

    @property
    def partition(self) -> int:
        """The partition it came from."""

    @property
    def offset(self) -> int:
        """Its offset there."""

    @property
    def timestamp(self) -> int:
        """The broker's append time, ms since 1970."""

    @property
    def key(self) -> bytes | None:
        """The key, which determines the partition."""

    @property
    def value(self) -> bytes | None:
        """The encoded body; None in a tombstone."""

    @property
    def headers(self) -> Headers:
        """The envelope and other headers, in the order in which they were sent."""


R = TypeVar("R", bound=Record)

_PLACE = attrgetter("topic", "partition")


class Message(msgspec.Struct, Generic[B], frozen=True):
    """A parsed record: its envelope and its body.

    `body` is None for a tombstone on a compacted topic. `at` is the append time (UTC), the only time that a
    decision may use. `traceparent` is W3C trace context, or None. `record` is the delivered record.
    """

    id: str
    key: str
    body: B | None
    at: datetime
    traceparent: str | None
    record: Record

    @property
    def topic(self) -> str:
        """The topic it came from."""
        return self.record.topic

    @property
    def partition(self) -> int:
        """The partition it came from."""
        return self.record.partition

    @property
    def offset(self) -> int:
        """Its offset there."""
        return self.record.offset


class Outgoing(msgspec.Struct, frozen=True, array_like=True):
    """A record to publish, in the form in which the outbox stores it."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes | None]]

    @property
    def size(self) -> int:
        """Its uncompressed size in bytes, as it counts for a topic's `max_bytes`."""
        return size_of(self.key, self.value, self.headers)


class Timer(msgspec.Struct, frozen=True):
    """A record to publish at `due_at` (UTC). A timer replaces an earlier one with the same `id`, a UUID."""

    id: str
    due_at: datetime
    record: Outgoing


def runs(records: Iterable[R]) -> Iterator[tuple[TopicPartition, list[R]]]:
    """Group consecutive records of the same partition; keep their order."""
    for (topic, partition), run in groupby(records, key=_PLACE):
        yield TopicPartition(topic, partition), list(run)


def size_of(key: bytes | None, value: bytes | None, headers: Headers) -> int:
    """Estimate the uncompressed size of a record in bytes; never less than it takes in Kafka's format."""
    headers_size = sum(len(name) * 4 + len(content or b"") + 12 for name, content in headers)
    return len(key or b"") + len(value or b"") + headers_size + _RECORD_OVERHEAD


@lru_cache(maxsize=1024)
def append_time(timestamp_ms: int) -> datetime:
    """Convert a Kafka timestamp (ms since 1970) to UTC; limit it to the years 1 to 9999."""
    try:
        return datetime.fromtimestamp(timestamp_ms / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return (
            datetime.min.replace(tzinfo=UTC)
            if timestamp_ms < 0
            else datetime.max.replace(tzinfo=UTC)
        )
