"""Edits of a case: remove, add, alter and swap records and rows."""

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any
from uuid import uuid4

from runtime.messages.partitioner import partition_of
from schemas import topics
from schemas.base import Body
from tests.unit.verify.made import Case
from verify.dump import Dump
from verify.rows import KafkaRecord

Edit = Callable[[Case], Case]

EVENTS = topics.ORDERS_EVENTS.name
NOTIFICATIONS = topics.NOTIFICATIONS_EVENTS.name
STATUS = topics.MEDICATION_STATUS.name
CHANGES = topics.MEDICATION_CHANGES.name
REQUESTS = topics.ORDERS_REQUESTS.name


def header(record: KafkaRecord, name: str) -> bytes:
    """A header's value; empty when it is missing."""
    return next((value for n, value in record.headers if n == name and value), b"")


def body(record: KafkaRecord) -> dict[str, Any]:
    """The JSON body of a record."""
    found: dict[str, Any] = json.loads(record.value or b"{}")
    return found


def find(
    case: Case, kind: type[Body], such: Callable[[dict[str, Any]], bool] = lambda _: True
) -> KafkaRecord:
    """The first record of a kind, without repeats, for whose body `such` holds."""
    of_kind = [r for r in case.dump.records if header(r, "ce_type") == kind.ce_type().encode()]
    ids = [header(r, "ce_id") for r in of_kind]
    once = (r for r in of_kind if ids.count(header(r, "ce_id")) == 1 and _is_ours(r))
    return next(r for r in once if such(body(r)))


def _is_ours(record: KafkaRecord) -> bool:
    return not record.topic.endswith(".dead-letters") and record.value != b'{"order_id": '


def with_records(case: Case, records: Iterable[KafkaRecord]) -> Case:
    """The case with these records only."""
    ordered = sorted(records, key=lambda r: (r.topic, r.partition, r.offset))
    return replace(case, dump=replace(case.dump, records=tuple(ordered)))


def without(case: Case, *gone: KafkaRecord) -> Case:
    """The case without these records."""
    return with_records(case, [r for r in case.dump.records if not any(r is g for g in gone)])


def with_value(case: Case, record: KafkaRecord, value: bytes) -> Case:
    """The case with another value in a record."""
    kept = [r for r in case.dump.records if r is not record]
    return with_records(case, [*kept, replace(record, value=value)])


def with_body(case: Case, record: KafkaRecord, **changes: Any) -> Case:
    """The case with other fields in a record's body."""
    return with_value(case, record, json.dumps(body(record) | changes).encode())


def plus(case: Case, record: KafkaRecord, *, own_id: bool, **changes: Any) -> Case:
    """The case with a copy of a record, with other fields, appended to its partition.

    `own_id` gives it a new `ce_id`.
    """
    headers = [
        (name, f"{uuid4()}".encode() if own_id and name == "ce_id" else value)
        for name, value in record.headers
    ]
    last = max(
        r.offset
        for r in case.dump.records
        if (r.topic, r.partition) == (record.topic, record.partition)
    )
    value = json.dumps(body(record) | changes).encode() if changes else record.value
    copy = replace(record, offset=last + 1, headers=headers, value=value)
    return at_rest(with_records(case, [*case.dump.records, copy]))


def at_rest(case: Case) -> Case:
    """The case with every service's progress at the end offsets."""
    ends = {(s.topic, s.partition): s.end for s in case.dump.partitions}
    for r in case.dump.records:
        ends[r.topic, r.partition] = max(ends.get((r.topic, r.partition), 0), r.offset + 1)
    spans = tuple(replace(s, end=ends[s.topic, s.partition]) for s in case.dump.partitions)
    dump = replace(case.dump, partitions=spans)
    for service, database in dump.databases.items():
        progress = tuple(
            replace(row, next_offset=ends[row.topic, row.partition]) for row in database.progress
        )
        changes: dict[str, Any] = {service: replace(database, progress=progress)}
        dump = replace(dump, **changes)
    return replace(case, dump=dump)


def with_swapped(case: Case, one: KafkaRecord, other: KafkaRecord) -> Case:
    """The case with two records of a partition swapped."""
    kept = [r for r in case.dump.records if r is not one and r is not other]
    swapped = [replace(one, offset=other.offset), replace(other, offset=one.offset)]
    return with_records(case, [*kept, *swapped])


def misplaced(case: Case, record: KafkaRecord) -> Case:
    """The case with a record on another partition than its key's."""
    partition = (partition_of(record.key or b"", 8) + 1) % 8
    kept = [r for r in case.dump.records if r is not record]
    return with_records(case, [*kept, replace(record, partition=partition, offset=9999)])


def with_rows(case: Case, service: str, table: str, change: Callable[[list[Any]], Any]) -> Case:
    """The case with a table's rows as `change` returns them, or as it left them when it returns None."""
    database = getattr(case.dump, service)
    rows = list(getattr(database, table))
    changed = change(rows)
    kept = tuple(rows if changed is None else changed)
    database = replace(database, **{table: kept})
    dump: Dump = replace(case.dump, **{service: database})
    return replace(case, dump=dump)


def first_row(service: str, table: str, **changes: Any) -> Edit:
    """A table's first row has other values."""

    def edit(case: Case) -> Case:
        return with_rows(
            case, service, table, lambda rows: [replace(rows[0], **changes), *rows[1:]]
        )

    return edit


def no_first_row(service: str, table: str) -> Edit:
    """A table lacks its first row."""
    return lambda case: with_rows(case, service, table, lambda rows: rows[1:])
