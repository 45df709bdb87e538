"""A topic's records as its readers see them: parsed, without repeats, and what is wrong with the others."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from runtime.messages.dead_letters import PREFIX
from runtime.messages.message import Message
from runtime.messages.parser import Misplaced, Parser, Unreadable
from schemas.topics import Topic
from verify.rows import Rec


@dataclass(frozen=True, slots=True)
class Fact:
    """A record that could be read. `body` is None for a tombstone; `at` is when Kafka took it (UTC)."""

    key: str
    body: Any
    at: datetime
    record: Rec

    @property
    def topic(self) -> str:
        return self.record.topic

    @property
    def partition(self) -> int:
        return self.record.partition

    @property
    def offset(self) -> int:
        return self.record.offset

    @property
    def ce_id(self) -> str:
        """The id of the event; "" without one."""
        return (dict(self.record.headers).get("ce_id") or b"").decode(errors="replace")


@dataclass
class TopicRecords:
    """The records of one topic.

    `writer` is the `ce_source` of the service that alone writes it, None where others do. Then a record
    without it is foreign: kept apart, as nothing of ours caused it.
    """

    topic: Topic
    writer: str | None
    messages: list[Fact] = field(default_factory=list)
    """What can be read, in order; on a topic of ours only the first of each `ce_id`."""
    foreign: list[Rec] = field(default_factory=list)
    foreign_messages: list[Fact] = field(default_factory=list)
    unreadable: list[tuple[Rec, Unreadable]] = field(default_factory=list)
    """Foreign ones included."""
    misplaced: list[tuple[Rec, int]] = field(default_factory=list)
    """Sound records with the partition where they belong."""
    conflicting: list[Rec] = field(default_factory=list)
    """Records with the `ce_id` of an earlier one and another content."""
    repeated: int = 0
    """Raw duplicates: the same `ce_id` and content as an earlier record."""

    def everything(self) -> list[Fact]:
        """Messages, the foreign ones too, in order."""
        both = [*self.messages, *self.foreign_messages]
        return sorted(both, key=lambda m: (m.partition, m.offset))


def read(topic: Topic, records: Iterable[Rec], writer: str | None = None) -> TopicRecords:
    """Read the records of one topic, given in order."""
    found = TopicRecords(topic, writer)
    parse = Parser.of([topic]).parse
    seen: dict[bytes, bytes | None] = {}
    for record in records:
        headers = dict(record.headers)
        foreign = writer is not None and headers.get("ce_source") != writer.encode()
        if foreign:
            found.foreign.append(record)
        elif _is_repeat(record, headers.get("ce_id"), seen, found) and writer:
            continue
        _sort(record, parse(record), found, foreign=foreign)
    return found


def _is_repeat(
    record: Rec, ce_id: bytes | None, seen: dict[bytes, bytes | None], found: TopicRecords
) -> bool:
    if ce_id is None or ce_id not in seen:
        if ce_id is not None:
            seen[ce_id] = record.value
        return False
    if seen[ce_id] == record.value:
        found.repeated += 1
    else:
        found.conflicting.append(record)
    return True


def _sort(
    record: Rec,
    parsed: Message[Any] | Unreadable | Misplaced,
    found: TopicRecords,
    *,
    foreign: bool,
) -> None:
    match parsed:
        case Message():
            fact = Fact(parsed.key, parsed.body, parsed.at, record)
            (found.foreign_messages if foreign else found.messages).append(fact)
        case Unreadable():
            found.unreadable.append((record, parsed))
        case Misplaced(home):
            found.misplaced.append((record, home))


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter, with where the record that it keeps was read."""

    service: str
    reason: str
    topic: str
    partition: int
    offset: int
    record: Rec

    @property
    def origin(self) -> tuple[str, int, int]:
        """Topic, partition and offset of the record that it keeps."""
        return (self.topic, self.partition, self.offset)

    @property
    def value(self) -> bytes | None:
        """The value of the record that it keeps."""
        null = f"{PREFIX}null_value" in dict(self.record.headers)
        return None if null else self.record.value


@dataclass
class Letters:
    """The dead letters of one service, each once."""

    service: str
    by_origin: dict[tuple[str, int, int], Letter] = field(default_factory=dict)
    foreign: list[Rec] = field(default_factory=list)
    """Records that do not say whose letter they are, or of what."""
    conflicting: list[Rec] = field(default_factory=list)
    repeated: int = 0


def read_letters(service: str, records: Sequence[Rec]) -> Letters:
    """Read a service's dead letters, given in order."""
    found = Letters(service)
    for record in records:
        letter = _letter(record)
        if letter is None or letter.service != service:
            found.foreign.append(record)
            continue
        first = found.by_origin.setdefault(letter.origin, letter)
        if first is not letter:
            if (first.reason, first.value) == (letter.reason, letter.value):
                found.repeated += 1
            else:
                found.conflicting.append(record)
    return found


def _letter(record: Rec) -> Letter | None:
    # Ours come last: the record that the letter keeps may be a dead letter itself.
    headers = dict(record.headers)
    service, reason, topic, partition, offset = (
        (headers.get(f"{PREFIX}{name}") or b"").decode(errors="replace")
        for name in ("service", "reason", "topic", "partition", "offset")
    )
    if not (service and reason and topic and partition.isdecimal() and offset.isdecimal()):
        return None
    return Letter(service, reason, topic, int(partition), int(offset), record)
