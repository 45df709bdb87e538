"""The records of a topic: parsed and de-duplicated, with the unreadable, misplaced and foreign ones apart."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from runtime.messages.dead_letters import PREFIX
from runtime.messages.message import Message
from runtime.messages.parser import Misplaced, Parser, Unreadable
from schemas.topics import Topic
from verify.rows import KafkaRecord


@dataclass(frozen=True, slots=True)
class ParsedRecord:
    """A readable record. `body` is None for a tombstone; `at` is Kafka's append time (UTC)."""

    key: str
    body: Any
    at: datetime
    record: KafkaRecord

    @property
    def topic(self) -> str:
        """The topic."""
        return self.record.topic

    @property
    def partition(self) -> int:
        """The partition."""
        return self.record.partition

    @property
    def offset(self) -> int:
        """The offset in the partition."""
        return self.record.offset

    @property
    def where(self) -> str:
        """Where the record is, such as `orders.events-3@120`."""
        return self.record.where

    @property
    def ce_id(self) -> str:
        """The id of the event, empty when the header is missing."""
        return (dict(self.record.headers).get("ce_id") or b"").decode(errors="replace")


@dataclass
class TopicRecords:
    """The records of one topic.

    `writer` is the `ce_source` of the one service that may write the topic, None for an input topic. A
    record with another source is foreign: it is kept apart, because no input record caused it.
    """

    topic: Topic
    writer: str | None
    messages: list[ParsedRecord] = field(default_factory=list)
    """The readable records, in order; with a `writer` only the first of each `ce_id`."""
    foreign: list[KafkaRecord] = field(default_factory=list)
    foreign_messages: list[ParsedRecord] = field(default_factory=list)
    unreadable: list[tuple[KafkaRecord, Unreadable]] = field(default_factory=list)
    """Foreign records included."""
    misplaced: list[tuple[KafkaRecord, int]] = field(default_factory=list)
    """Readable records, each with the partition of its key."""
    conflicting: list[KafkaRecord] = field(default_factory=list)
    """Records whose `ce_id` was used before with a different value."""
    repeated: int = 0
    """How many records repeat the `ce_id` and value of an earlier one (raw duplicates)."""

    def all_messages(self) -> list[ParsedRecord]:
        """All readable records, foreign ones included, in order."""
        both = [*self.messages, *self.foreign_messages]
        return sorted(both, key=lambda m: (m.partition, m.offset))


def read_topic(
    topic: Topic, records: Iterable[KafkaRecord], writer: str | None = None
) -> TopicRecords:
    """Parse the records of one topic, given in order."""
    result = TopicRecords(topic, writer)
    parse = Parser.of([topic]).parse
    values: dict[bytes, bytes | None] = {}
    for record in records:
        headers = dict(record.headers)
        foreign = writer is not None and headers.get("ce_source") != writer.encode()
        if foreign:
            result.foreign.append(record)
        elif _is_repeat(record, headers.get("ce_id"), values, result) and writer:
            continue
        _classify(record, parse(record), result, foreign=foreign)
    return result


def _is_repeat(
    record: KafkaRecord,
    ce_id: bytes | None,
    values: dict[bytes, bytes | None],
    result: TopicRecords,
) -> bool:
    if ce_id is None or ce_id not in values:
        if ce_id is not None:
            values[ce_id] = record.value
        return False
    if values[ce_id] == record.value:
        result.repeated += 1
    else:
        result.conflicting.append(record)
    return True


def _classify(
    record: KafkaRecord,
    parsed: Message[Any] | Unreadable | Misplaced,
    result: TopicRecords,
    *,
    foreign: bool,
) -> None:
    match parsed:
        case Message():
            message = ParsedRecord(parsed.key, parsed.body, parsed.at, record)
            (result.foreign_messages if foreign else result.messages).append(message)
        case Unreadable():
            result.unreadable.append((record, parsed))
        case Misplaced(home):
            result.misplaced.append((record, home))


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A dead letter, and the position of the record that it holds."""

    service: str
    reason: str
    topic: str
    partition: int
    offset: int
    record: KafkaRecord

    @property
    def origin(self) -> tuple[str, int, int]:
        """Topic, partition and offset of the record that it holds."""
        return (self.topic, self.partition, self.offset)

    @property
    def value(self) -> bytes | None:
        """The value of the record that it holds."""
        null = f"{PREFIX}null_value" in dict(self.record.headers)
        return None if null else self.record.value


@dataclass
class DeadLetters:
    """The dead letters of one service, one for each record."""

    service: str
    by_origin: dict[tuple[str, int, int], DeadLetter] = field(default_factory=dict)
    foreign: list[KafkaRecord] = field(default_factory=list)
    """Records without the headers of a dead letter, or with those of another service."""
    conflicting: list[KafkaRecord] = field(default_factory=list)
    """Second dead letters of a record, with another reason or value."""
    repeated: int = 0
    """How many dead letters repeat an earlier one."""


def read_dead_letters(service: str, records: Sequence[KafkaRecord]) -> DeadLetters:
    """Parse a service's dead letters, given in order."""
    letters = DeadLetters(service)
    for record in records:
        letter = _letter(record)
        if letter is None or letter.service != service:
            letters.foreign.append(record)
            continue
        first = letters.by_origin.setdefault(letter.origin, letter)
        if first is not letter:
            if (first.reason, first.value) == (letter.reason, letter.value):
                letters.repeated += 1
            else:
                letters.conflicting.append(record)
    return letters


def _letter(record: KafkaRecord) -> DeadLetter | None:
    # The last header wins: the record may itself be a dead letter, whose headers come first.
    headers = dict(record.headers)
    service, reason, topic, partition, offset = (
        (headers.get(f"{PREFIX}{name}") or b"").decode(errors="replace")
        for name in ("service", "reason", "topic", "partition", "offset")
    )
    if not (service and reason and topic and partition.isdecimal() and offset.isdecimal()):
        return None
    return DeadLetter(service, reason, topic, int(partition), int(offset), record)
