"""Parses records into messages, or gives the reason why a record is unreadable.

Reasons never quote content, only field names and kinds of errors.
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
"""The largest header that is accepted, name and value together."""

MAX_HEADERS = 64

NUL = "\x00"
"""PostgreSQL cannot store it in text, so keys and ids must not contain it; bodies must not either."""

Envelope = dict[str, str]
"""The headers of a record; the last one of each name counts."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Why a record becomes a dead letter: a code for metrics, and a detail that quotes no content."""

    reason: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Misplaced:
    """A valid record on another partition than that of its key, which is `partition`."""

    partition: int


class _Refused(Exception):
    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.why = Unreadable(reason, detail)


@dataclass(frozen=True)
class Parser:
    """Parses the records of a service's input topics, also those of systems beside them."""

    topics: Mapping[str, Topic]

    @classmethod
    def of(cls, topics: Iterable[Topic]) -> "Parser":
        """Make a parser for these topics."""
        return cls({topic.name: topic for topic in topics})

    def topic(self, name: str) -> Topic:
        """The topic with this name: one of `topics`, or that of a system beside one."""
        return self.topics.get(name) or self.topics[name.rpartition(".")[0]]

    @cached_property
    def _models(self) -> Mapping[str, Mapping[str, type[Body]]]:
        """The model of each `ce_type`, by topic."""
        return {name: topic.types for name, topic in self.topics.items()}

    def parse(self, record: Record) -> Message[Body] | Unreadable | Misplaced:
        """Parse a record into a message; or say why it is unreadable, or to which partition it belongs."""
        try:
            return self._parse(record)
        except _Refused as refused:
            return refused.why

    def _parse(self, record: Record) -> Message[Body] | Misplaced:
        topic = self.topic(record.topic)
        key_bytes, key = _key(record.key)
        envelope = _envelope(record.headers)
        if size_of(record.key, record.value, record.headers) > topic.max_bytes:
            # The broker's limit is on the compressed batch, so it lets such a record pass.
            raise _Refused("too_large", "the record is larger than its topic allows")
        model = _model(envelope, self._models[topic.name], record.topic)
        body = _body(record.value, model, topic)
        if body is not None and getattr(body, model.KEY) != key:
            raise _Refused("key_mismatch", f"the key is not the body's {model.KEY}")
        home = partition_of(key_bytes, topic.partitions)
        if home != record.partition and topic.partitions > 1:
            return Misplaced(home)
        at = append_time(record.timestamp)
        return Message(_id(envelope), key, body, at, _traceparent(envelope), record)


def _key(sent: bytes | None) -> tuple[bytes, str]:
    """The key as bytes and as text."""
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
    """Decode UTF-8; None for other bytes."""
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
    names = _field_names(model)
    return _Refused(
        "wrong_schema", "; ".join(f"{_field(p['loc'], names)}: {p['type']}" for p in problems[:10])
    )


def _field(loc: Iterable[int | str], names: Set[str]) -> str:
    # A location may contain a key of the content, as in a mapping; only names from the schema are shown.
    parts = (str(part) if isinstance(part, int) or part in names else "*" for part in loc)
    return ".".join(parts) or "body"


@lru_cache(maxsize=256)
def _field_names(model: type[Body]) -> frozenset[str]:
    schema = model.model_json_schema(by_alias=True)
    parts = (schema, *schema.get("$defs", {}).values())
    return frozenset(name for part in parts for name in part.get("properties", {}))
