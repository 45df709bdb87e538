"""Records as they travel: what Kafka delivered, what a handler sees, what goes out.

CloudEvents 1.0 in binary mode: the envelope is in the headers, the value is the JSON body alone.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from itertools import groupby
from operator import attrgetter
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID, uuid5

import msgspec
from aiokafka import TopicPartition
from aiokafka.partitioner import murmur2

from schemas.base import TRACEPARENT, Body

EVENTS = UUID("5b1f4f0e-6f0b-5d5e-9d3c-6a2f8f3f7f10")
"""Namespace of deterministic event ids: UUIDv5 of what happened."""

Headers = Sequence[tuple[str, bytes | None]]

_CACHED_KEY_BYTES = 256
"""No patient, practice or pharmacy has a longer key; the hash of one is not cached, which bounds the memory."""

_RECORD_OVERHEAD = 160
"""A batch's own header (61 bytes), and lengths, offset and time of its one record."""

B = TypeVar("B", bound=Body, covariant=True)
S = TypeVar("S")


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


def partition_of(key: bytes, partitions: int) -> int:
    """The partition where Kafka's default partitioner puts `key`."""
    hashed = _cached_hash(key) if len(key) <= _CACHED_KEY_BYTES else murmur2(key)
    # KIP-480, `Utils.toPositive`.
    return int(hashed & 0x7FFFFFFF) % partitions


# aiokafka hashes in Python, and all that follows from a record has its key.
_cached_hash = lru_cache(maxsize=10_000)(murmur2)


def event_id(event_type: str, *what: object) -> str:
    """The id of an event, a UUIDv5 in `EVENTS`, the same whenever the same thing is decided again."""
    return str(uuid5(EVENTS, "/".join([event_type, *map(str, what)])))


_TRACEPARENT = re.compile(TRACEPARENT)


def valid_traceparent(sent: str | None) -> str | None:
    """The trace context that a client sent; None if it is not valid: W3C says to ignore it then."""
    return sent if sent and _TRACEPARENT.match(sent) else None


def child_traceparent(parent: str | None, event: str) -> str:
    """W3C trace context for a record caused by `parent`, derived from the event so a replay agrees."""
    digits = event.replace("-", "")
    if parent is None:
        return f"00-{digits}-{digits[16:]}-01"
    return f"{parent[:36]}{digits[:16]}{parent[52:55]}"


@lru_cache(maxsize=256)
def _fixed_headers(kind: type[Body], source: str) -> list[tuple[str, bytes | None]]:
    return [
        ("ce_specversion", b"1.0"),
        ("ce_type", kind.ce_type().encode()),
        ("ce_source", source.encode()),
        ("content-type", b"application/json"),
    ]


def outgoing(
    topic: str,
    body: Body,
    *,
    key: str,
    id: str,
    source: str,
    subject: str,
    at: datetime,
    traceparent: str | None,
) -> Outgoing:
    """The record that carries `body`; `traceparent` is that of its cause, `at` its time (UTC).

    `id` is its `ce_id`: consumers drop what they have seen by it.
    """
    headers: list[tuple[str, bytes | None]] = [
        *_fixed_headers(type(body), source),
        ("ce_id", id.encode()),
        ("ce_time", rfc3339(at).encode()),
        ("ce_subject", subject.encode()),
        ("traceparent", child_traceparent(traceparent, id).encode()),
    ]
    return Outgoing(topic, key.encode(), encode(body), headers)


def encode(body: Body) -> bytes:
    """The JSON bytes of a body, with the names that records use."""
    if isinstance(body, msgspec.Struct):
        return encode_parts(body)
    return body.model_dump_json(by_alias=True).encode()


encode_parts = msgspec.json.Encoder(enc_hook=vars).encode
"""The JSON bytes of anything made of structs, plain values and models without aliases.

The same bytes as pydantic's: a model's fields are its `vars`, in order.
"""


def decoder(kind: type[S]) -> msgspec.json.Decoder[S]:
    """Reads what `encode_parts` wrote of a struct, and of the models in it. It ignores unknown fields."""
    return msgspec.json.Decoder(kind, dec_hook=_part)


def _part(model: Any, fields: Any) -> Any:
    return model.model_validate(fields, strict=False)


@lru_cache(maxsize=1024)
def rfc3339(at: datetime) -> str:
    """A time (UTC) as envelopes have it."""
    # All that follows from a record has its time.
    return at.isoformat().replace("+00:00", "Z")
