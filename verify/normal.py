"""A dump without what differs when the same inputs are handled again, for comparing two replays.

Left out, because Kafka and PostgreSQL give them out anew each time:

* offset and append time of records that services wrote, raw duplicates of them, and the order between
  different keys; the order within a key stays. Records on inputs keep theirs, as decisions use them.
* when a patient was told or promised something, which is when Kafka took the event that is told of.
* spans, what the loop keeps (progress, outbox, timers' place in it), `taken_at`.
* `id` of messages; each patient's inbox keeps its order.
* `received_at` of the intake.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from schemas import topics
from verify.dump import Dump
from verify.memory import no_collections
from verify.rows import Rec

_INPUTS = (topics.ORDERS_REQUESTS.name, topics.MEDICATION_CHANGES.name)
_TOLD = topics.NOTIFICATIONS_EVENTS.name
_TOLD_AT = ("at", "promised_at")
_LEFT_OUT: dict[str, tuple[str, ...]] = {
    "ordering.intake": ("received_at",),
    "notification.messages": ("id", "at"),
}
_NOT_COMPARED = (".progress", ".outbox", ".timers")

Normal = dict[str, tuple[bytes, ...]]
"""Lines of JSON by topic and table, in a fixed order."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A row that only one of two dumps has: `only_in` is 1 or 2, `row` counts from 1 in its own order."""

    where: str
    only_in: int
    row: int


def normalised(dump: Dump) -> Normal:
    """The lines of a dump that are the same whenever the same inputs are handled again."""
    found: Normal = {}
    by_topic: dict[str, list[Rec]] = defaultdict(list)
    for record in dump.records:
        by_topic[record.topic].append(record)
    for topic, records in sorted(by_topic.items()):
        kept = records if topic in _INPUTS else _as_written(records)
        found[topic] = tuple(map(msgspec.json.encode, kept))
    for name, rows in dump.tables():
        if not name.endswith(_NOT_COMPARED):
            found[name] = tuple(_row(row, _LEFT_OUT.get(name, ())) for row in _ordered(name, rows))
    return found


def compare(first: Dump, second: Dump) -> list[Difference]:
    """Where two dumps of the same replay differ; nothing when they are identical."""
    with no_collections():
        one, two = normalised(first), normalised(second)
    return [d for where in sorted(one.keys() | two.keys()) for d in _differences(where, one, two)]


def _differences(where: str, one: Normal, two: Normal) -> Iterator[Difference]:
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
    """Equal lines are matched whatever stands between them; a changed order shows as a difference."""
    if sorted(lines) == sorted(others):
        yield from zip(lines, others, strict=True)
        return
    only, left = set(lines) - set(others), set(others) - set(lines)
    yield from ((line, None if line in only else line) for line in lines)
    yield from ((None if line in left else line, line) for line in others)


def _as_written(records: Iterable[Rec]) -> list[Rec]:
    """Without repeats, by partition and key, in the order in which each key's records first appear."""
    once: dict[tuple[Any, ...], Rec] = {}
    for record in map(_without_when_told, records):
        headers = tuple(sorted(record.headers, key=repr))
        once.setdefault((record.partition, record.key, record.value, headers), record)
    ordered = sorted(once.values(), key=lambda r: (r.partition, r.key or b"", r.offset))
    return [replace(record, offset=0, timestamp=0) for record in ordered]


def _without_when_told(record: Rec) -> Rec:
    if record.topic != _TOLD or record.value is None:
        return record
    try:
        body = msgspec.json.decode(record.value, type=dict[str, Any])
    except msgspec.DecodeError:
        return record  # not ours: it is compared as it is
    told = {name: value for name, value in body.items() if name not in _TOLD_AT}
    headers = [(name, value) for name, value in record.headers if name != "ce_time"]
    return replace(record, value=msgspec.json.encode(told), headers=headers)


def _ordered(name: str, rows: Iterable[Any]) -> list[Any]:
    if name == "notification.messages":
        return sorted(rows, key=lambda row: (row.patient, row.id))
    return list(rows)


def _row(row: Any, left_out: tuple[str, ...]) -> bytes:
    values = {
        name: value for name, value in msgspec.to_builtins(row).items() if name not in left_out
    }
    return msgspec.json.encode(values)
