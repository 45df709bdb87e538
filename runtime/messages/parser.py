"""One record's bytes into a message, or the reason why not.

Nothing from the record's content enters a reason: only field names and error kinds do.
"""

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from functools import cached_property, lru_cache

from pydantic import ValidationError

from runtime.messages.cloudevents import valid_traceparent
from runtime.messages.message import Headers, Message, Record, append_time, size_of
from runtime.messages.partitioner import partition_of
from schemas.base import Body
from schemas.topics import Topic

MAX_HEADER_BYTES = 8 * 1024
"""The largest header, name and value together, that is read."""

MAX_HEADERS = 64

NUL = "\x00"
"""PostgreSQL cannot store it in text, so no key or id may hold it, as no body may."""

Envelope = dict[str, str]
"""A record's headers; the last one of a name counts."""


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


@dataclass(frozen=True)
class Parser:
    """Reads the records of a service's input topics."""

    topics: Mapping[str, Topic]

    @classmethod
    def of(cls, topics: Iterable[Topic]) -> "Parser":
        """A parser for these topics."""
        return cls({topic.name: topic for topic in topics})

    @cached_property
    def _models(self) -> Mapping[str, Mapping[str, type[Body]]]:
        """The models of each topic by `ce_type`."""
        return {name: topic.types for name, topic in self.topics.items()}

    def parse(self, record: Record) -> Message[Body] | Unreadable | Misplaced:
        """The message in a record, or why there is none."""
        try:
            return self._parse(record)
        except _Refused as refused:
            return refused.why

    def _parse(self, record: Record) -> Message[Body] | Misplaced:
        topic = self.topics[record.topic]
        sent, key = _key(record.key)
        envelope = _envelope(record.headers)
        if size_of(record.key, record.value, record.headers) > topic.max_bytes:
            # The broker's own limit is on the compressed batch.
            raise _Refused("too_large", "the record is larger than its topic allows")
        model = _model(envelope, self._models[record.topic], record.topic)
        body = _body(record.value, model, topic)
        if body is not None and getattr(body, model.KEY) != key:
            raise _Refused("key_mismatch", f"the key is not the body's {model.KEY}")
        home = partition_of(sent, topic.partitions)
        if home != record.partition and topic.partitions > 1:
            return Misplaced(home)
        at = append_time(record.timestamp)
        return Message(_id(envelope), key, body, at, _traceparent(envelope), record)


def _key(sent: bytes | None) -> tuple[bytes, str]:
    """A key as it was sent, and as text."""
    if not sent:
        raise _Refused("missing_key")
    key = _text(sent)
    if key is None or NUL in key:
        raise _Refused("bad_key", "the key is not UTF-8, or holds U+0000")
    return sent, key


def _envelope(headers: Headers) -> Envelope:
    if len(headers) > MAX_HEADERS:
        raise _Refused("oversize_header", f"more than {MAX_HEADERS} headers")
    return {name: _header(name, value) for name, value in headers}


def _header(name: str, value: bytes | None) -> str:
    if value is None:
        raise _Refused("null_header", "a header has no value")
    if len(name) + len(value) > MAX_HEADER_BYTES:
        raise _Refused("oversize_header", f"a header is larger than {MAX_HEADER_BYTES} bytes")
    text = _text(value)
    if text is None:
        raise _Refused("binary_header", "a header is not UTF-8")
    return text


def _text(sent: bytes) -> str | None:
    """UTF-8 as text; None for what is not UTF-8."""
    try:
        return sent.decode()
    except UnicodeDecodeError:
        return None


def _model(envelope: Envelope, models: Mapping[str, type[Body]], topic: str) -> type[Body]:
    ce_type = envelope.get("ce_type")
    if ce_type is None:
        raise _Refused("missing_type", "there is no ce_type header")
    if ce_type not in models:
        raise _Refused("unknown_type", f"{topic} carries no such ce_type")
    return models[ce_type]


def _body(value: bytes | None, model: type[Body], topic: Topic) -> Body | None:
    """The body; None for a tombstone."""
    if value is None:
        if topic.compacted:
            return None
        raise _Refused("null_value", "the topic is not compacted, a null value means nothing")
    try:
        return model.model_validate_json(value)
    except ValidationError as error:
        raise _refusal(error, model) from None


def _traceparent(envelope: Envelope) -> str | None:
    return valid_traceparent(envelope.get("traceparent"))


def _id(envelope: Envelope) -> str:
    ce_id = envelope.get("ce_id")
    if not ce_id:
        raise _Refused("missing_id", "there is no ce_id header")
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
