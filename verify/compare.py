"""Compare the dumps of two replays of the same input records.

Not compared, because Kafka and PostgreSQL assign them anew in each replay:

* offset and append time of records that services wrote, their raw duplicates, and the order between different
  keys. The order within a key is compared, and so are offsets and append times of input records, which
  decisions depend on.
* the time of messages and promises, which is the append time of the event that caused them.
* partitions, the loop's own tables, the audit trail and its seals, `taken_at`.
* `id` of messages; the order within each inbox is compared.
* `received_at` of the intake.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from schemas import topics
from schemas.topic_lookup import system_of
from verify.dump import Dump
from verify.garbage_collection import gc_disabled
from verify.rows import KafkaRecord

_INPUTS = (topics.ORDERS_REQUESTS.name, topics.MEDICATION_CHANGES.name)
_NOTIFICATIONS = topics.NOTIFICATIONS_EVENTS.name
_NOTIFICATION_TIMES = ("at", "promised_at")
_IGNORED_COLUMNS: dict[str, tuple[str, ...]] = {
    "ordering.intake": ("received_at",),
    "notification.messages": ("id", "at"),
}
_IGNORED_TABLES = (".progress", ".outbox", ".timers", ".audit")

Lines = dict[str, tuple[bytes, ...]]
"""Sorted lines of JSON by topic and table."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A row in only one of two dumps: `only_in` is 1 or 2, `row` its number in that dump, from 1."""

    where: str
    only_in: int
    row: int


def comparable_lines(dump: Dump) -> Lines:
    """The lines of a dump that must be identical in every replay of the same input records."""
    lines: Lines = {}
    by_topic: dict[str, list[KafkaRecord]] = defaultdict(list)
    for record in dump.records:
        by_topic[record.topic].append(record)
    # A seal is of a process, and each replay has its own.
    by_topic.pop(topics.AUDIT_SEALS.name, None)
    for topic, records in sorted(by_topic.items()):
        kept = records if topic in _INPUTS or system_of(topic) else _normalize(records)
        lines[topic] = tuple(map(msgspec.json.encode, kept))
    for name, rows in dump.tables():
        if not name.endswith(_IGNORED_TABLES):
            lines[name] = tuple(
                _row(row, _IGNORED_COLUMNS.get(name, ())) for row in _ordered(name, rows)
            )
    return lines


def compare(first: Dump, second: Dump) -> list[Difference]:
    """The differences between the dumps of two replays; empty when they are identical."""
    with gc_disabled():
        one, two = comparable_lines(first), comparable_lines(second)
    return [d for where in sorted(one.keys() | two.keys()) for d in _differences(where, one, two)]


def _differences(where: str, one: Lines, two: Lines) -> Iterator[Difference]:
    lines, others = one.get(where, ()), two.get(where, ())
    if lines == others:
        return
    for number, (mine, theirs) in enumerate(_side_by_side(lines, others), start=1):
        if mine != theirs:
            if mine is not None:
                yield Difference(where, 1, number)
            if theirs is not None:
                yield Difference(where, 2, number)


def _side_by_side(
    lines: tuple[bytes, ...], others: tuple[bytes, ...]
) -> Iterator[tuple[bytes | None, bytes | None]]:
    """Pair equal lines, wherever they are. The same lines in another order are paired by number instead."""
    if sorted(lines) == sorted(others):
        yield from zip(lines, others, strict=True)
        return
    only, left = set(lines) - set(others), set(others) - set(lines)
    yield from ((line, None if line in only else line) for line in lines)
    yield from ((None if line in left else line, line) for line in others)


def _normalize(records: Iterable[KafkaRecord]) -> list[KafkaRecord]:
    """Drop repeats, offsets and times; sort by partition and key, each key in order of first appearance."""
    once: dict[tuple[Any, ...], KafkaRecord] = {}
    for record in map(_without_time, records):
        headers = tuple(sorted(record.headers, key=repr))
        once.setdefault((record.partition, record.key, record.value, headers), record)
    ordered = sorted(once.values(), key=lambda r: (r.partition, r.key or b"", r.offset))
    return [replace(record, offset=0, timestamp=0) for record in ordered]


def _without_time(record: KafkaRecord) -> KafkaRecord:
    if record.topic != _NOTIFICATIONS or record.value is None:
        return record
    try:
        body = msgspec.json.decode(record.value, type=dict[str, Any])
    except msgspec.DecodeError:
        return record  # a foreign record is compared as it is
    body = {name: value for name, value in body.items() if name not in _NOTIFICATION_TIMES}
    headers = [(name, value) for name, value in record.headers if name != "ce_time"]
    return replace(record, value=msgspec.json.encode(body), headers=headers)


def _ordered(name: str, rows: Iterable[Any]) -> list[Any]:
    if name == "notification.messages":
        return sorted(rows, key=lambda row: (row.patient, row.id))
    return list(rows)


def _row(row: Any, ignored: tuple[str, ...]) -> bytes:
    values = {
        name: value for name, value in msgspec.to_builtins(row).items() if name not in ignored
    }
    return msgspec.json.encode(values)
