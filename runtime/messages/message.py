"""Records as they travel: as Kafka delivers them, as a handler reads them, as they are published."""

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
"""A batch's own header (61 bytes), and lengths, offset and time of its one record."""

B = TypeVar("B", bound=Body, covariant=True)


class Record(Protocol):
    """A record as the Kafka client delivers it."""

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
        """Kafka's key."""

    @property
    def value(self) -> bytes | None:
        """The body; None is a tombstone."""

    @property
    def headers(self) -> Headers:
        """The envelope and more, in the order sent."""


R = TypeVar("R", bound=Record)

_PLACE = attrgetter("topic", "partition")


class Message(msgspec.Struct, Generic[B], frozen=True):
    """A record that could be read: its envelope and its body.

    `body` is None for a tombstone on a compacted topic. `at` is the broker's append time (UTC), the
    only time a decision may use. `traceparent` is W3C trace context, or None. `record` is as delivered.
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
    """A record to publish. It is stored in the outbox as it is, so it holds bytes only."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes | None]]

    @property
    def size(self) -> int:
        """Bytes of key, value and headers, uncompressed, as they count for a topic's `max_bytes`."""
        return size_of(self.key, self.value, self.headers)


class Timer(msgspec.Struct, frozen=True):
    """A record to publish when `due_at` (UTC) has come; the same `id`, a UUID, again replaces it."""

    id: str
    due_at: datetime
    record: Outgoing


def runs(records: Iterable[R]) -> Iterator[tuple[TopicPartition, list[R]]]:
    """Records that follow each other in the same partition, with that partition, in their order."""
    for (topic, partition), run in groupby(records, key=_PLACE):
        yield TopicPartition(topic, partition), list(run)


def size_of(key: bytes | None, value: bytes | None, headers: Headers) -> int:
    """Bytes of a record, uncompressed; the allowance for each part is more than Kafka's format takes."""
    named = sum(len(name) * 4 + len(content or b"") + 12 for name, content in headers)
    return len(key or b"") + len(value or b"") + named + _RECORD_OVERHEAD


@lru_cache(maxsize=1024)
def append_time(timestamp_ms: int) -> datetime:
    """A Kafka timestamp (ms since 1970) as UTC time; one outside the calendar becomes its nearest end."""
    try:
        return datetime.fromtimestamp(timestamp_ms / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return (
            datetime.min.replace(tzinfo=UTC)
            if timestamp_ms < 0
            else datetime.max.replace(tzinfo=UTC)
        )
