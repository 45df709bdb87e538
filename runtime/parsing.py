"""One record's bytes into a message, or the reason why not.

Nothing from the record's content enters a reason: only field names and error kinds do.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass, field
from functools import lru_cache
from operator import attrgetter
from typing import Any, NamedTuple

from pydantic import ValidationError

from runtime.keys import NUL, key_of
from runtime.records import Headers, Message, Record, append_time, size_of
from schemas.base import Body
from schemas.topics import Topic

MAX_HEADER_BYTES = 8 * 1024
"""The largest header, name and value together, that is read."""

MAX_HEADERS = 64

_MOST_OF_A_HEADER = 5 * MAX_HEADER_BYTES
"""`size_of` counts a header's name four times."""

_ABSENT = b""

TRACEPARENT = re.compile(r"^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$")
"""W3C trace context, version 00."""

Envelope = dict[str, bytes]
"""A record's headers, all of them UTF-8; the last one of a name counts."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Why a record cannot be taken: a code that metrics count, and words that quote no content."""

    reason: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Misplaced:
    """A sound record on another partition than its key's: its producer has another partitioner."""

    partition: int


class _Refused(Exception):
    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.why = Unreadable(reason, detail)


class _Way(NamedTuple):
    """How one kind of record on one topic is read."""

    model: type[Body]
    read: Callable[[bytes], Body]
    key: Callable[[Body], object]
    """What of its body the record's key must be."""


class _Plan(NamedTuple):
    """How a topic's records are read: what it carries by `ce_type`, as it is on the wire."""

    ways: Mapping[bytes, _Way]
    partitions: int
    compacted: bool
    max_bytes: int


@dataclass(frozen=True)
class Parser:
    """Reads the records of a service's input topics."""

    topics: Mapping[str, Topic]
    _plans: Mapping[str, _Plan] = field(init=False)

    def __post_init__(self) -> None:
        plans = {name: self._plan(topic) for name, topic in self.topics.items()}
        object.__setattr__(self, "_plans", plans)

    @classmethod
    def of(cls, topics: Iterable[Topic]) -> "Parser":
        """A parser for these topics."""
        return cls({topic.name: topic for topic in topics})

    def parse(self, record: Record) -> Message[Body] | Unreadable | Misplaced:
        """The message in a record, or why there is none."""
        try:
            return self._parse(record)
        except _Refused as refused:
            return refused.why

    def _plan(self, topic: Topic) -> _Plan:
        ways = {
            ce_type.encode(): _Way(model, model.model_validate_json, attrgetter(model.KEY))
            for ce_type, model in topic.types.items()
        }
        return _Plan(ways, topic.partitions, topic.compacted, topic.max_bytes)

    def _parse(self, record: Record) -> Message[Body] | Misplaced:
        plan = self._plans[record.topic]
        key, hashed = _key(record.key)
        envelope = _envelope(record.headers)
        if _is_larger(record, plan.max_bytes):
            # The broker's own limit is on the compressed batch.
            raise _Refused("too_large", "the record is larger than its topic allows")
        way = plan.ways.get(envelope.get("ce_type", _ABSENT))
        if way is None:
            raise _no_way(envelope, record.topic)
        body = None if record.value is None else _body(record.value, way)
        if body is None:
            if not plan.compacted:
                raise _Refused(
                    "null_value", "the topic is not compacted, a null value means nothing"
                )
        elif way.key(body) != key:
            raise _Refused("key_mismatch", f"the key is not the body's {way.model.KEY}")
        home = hashed % plan.partitions
        if home != record.partition and plan.partitions > 1:
            return Misplaced(home)
        at = append_time(record.timestamp)
        return Message(_id(envelope), key, body, at, _traceparent(envelope), record)


def _key(sent: bytes | None) -> tuple[str, int]:
    """A key as text, and Kafka's hash of it."""
    if not sent:
        raise _Refused("missing_key")
    key = key_of(sent)
    if key.text is None:
        raise _Refused("bad_key", "the key is not UTF-8, or holds U+0000")
    return key.text, key.hash


def _body(value: bytes, way: _Way) -> Body:
    try:
        return way.read(value)
    except ValidationError as error:
        raise _refusal(error, way.model) from None


def _no_way(envelope: Envelope, topic: str) -> _Refused:
    if "ce_type" not in envelope:
        return _Refused("missing_type", "there is no ce_type header")
    return _Refused("unknown_type", f"{topic} carries no such ce_type")


def _envelope(headers: Headers) -> Envelope:
    if len(headers) > MAX_HEADERS:
        raise _Refused("oversize_header", f"more than {MAX_HEADERS} headers")
    envelope: dict[str, Any] = dict(headers)
    if len(envelope) != len(headers) or not _are_plain(envelope):
        for name, value in headers:
            _refuse_odd(name, value)
    return envelope


def _are_plain(envelope: Mapping[str, Any]) -> bool:
    """Whether all can be read and none is large, told by all of them at once; nearly always so."""
    try:
        # What stands between them is UTF-8 by itself, so that no two halves make a whole.
        whole = b"\x00".join(envelope.values())
        whole.decode()
    except (TypeError, UnicodeDecodeError):
        return False
    return len(whole) + len("".join(envelope)) <= MAX_HEADER_BYTES


def _refuse_odd(name: str, value: bytes | None) -> None:
    if value is None:
        raise _Refused("null_header", "a header has no value")
    if len(name) + len(value) > MAX_HEADER_BYTES:
        raise _Refused("oversize_header", f"a header is larger than {MAX_HEADER_BYTES} bytes")
    try:
        value.decode()
    except UnicodeDecodeError:
        raise _Refused("binary_header", "a header is not UTF-8") from None


def _traceparent(envelope: Envelope) -> str | None:
    sent = envelope.get("traceparent")
    if sent is None:
        return None
    # Trace context from outside is a help, never a reason to lose an order (W3C: ignore it).
    text = sent.decode()
    return text if TRACEPARENT.match(text) else None


def _is_larger(record: Record, max_bytes: int) -> bool:
    """Whether a record, whose headers have passed, is too large; few need be measured exactly."""
    content = len(record.key or b"") + len(record.value or b"")
    if content + (len(record.headers) + 1) * _MOST_OF_A_HEADER <= max_bytes:
        return False
    return size_of(record.key, record.value, record.headers) > max_bytes


def _id(envelope: Envelope) -> str:
    sent = envelope.get("ce_id")
    if not sent:
        raise _Refused("missing_id", "there is no ce_id header")
    ce_id = sent.decode()
    if NUL in ce_id:
        raise _Refused("bad_id", "the ce_id holds U+0000")
    return ce_id


def _refusal(error: ValidationError, model: type[Body]) -> _Refused:
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    if problems[0]["type"] == "json_invalid":
        return _Refused("bad_json", "the value is not JSON")
    known = _field_names(model)
    return _Refused(
        "wrong_schema", "; ".join(f"{_field(p['loc'], known)}: {p['type']}" for p in problems[:10])
    )


def _field(loc: Iterable[int | str], known: Set[str]) -> str:
    # A part of a location can be a key of the content, as in a mapping; only our names are shown.
    parts = (str(part) if isinstance(part, int) or part in known else "*" for part in loc)
    return ".".join(parts) or "body"


@lru_cache(maxsize=256)
def _field_names(model: type[Body]) -> frozenset[str]:
    schema = model.model_json_schema(by_alias=True)
    parts = (schema, *schema.get("$defs", {}).values())
    return frozenset(name for part in parts for name in part.get("properties", {}))
