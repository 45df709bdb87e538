"""A dump: the content of every topic and database at one time, and its folder of JSON lines.

Rows are sorted (by topic, partition and offset; by primary key), so two dumps can be compared byte by byte.
Keys, values and header values are base64 in the files, as a record may hold any bytes.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from datetime import datetime
from pathlib import Path
from typing import Any, get_args, get_type_hints

import msgspec

from runtime.kafka.group_members import Member
from verify.rows import (
    AppliedChangeRow,
    AuditRow,
    CountedOrderRow,
    DailyLinesRow,
    DailyOrdersRow,
    HistoryRow,
    IntakeRow,
    KafkaRecord,
    MessageRow,
    NotificationOrderRow,
    OrderIdRow,
    OrderLineRow,
    OrderRow,
    OutboxRow,
    OverviewChangeRow,
    OverviewCopyRow,
    OverviewRow,
    PartitionRange,
    ProgressRow,
    TimerRow,
)

_ABOUT = "about.json"
_PARTITIONS = "partitions.jsonl"
_MEMBERS = "members.jsonl"


class DumpUnreadable(ValueError):
    """A folder does not hold a complete dump."""


@dataclass(frozen=True)
class Loop:
    """The loop's own tables in a service's database."""

    progress: tuple[ProgressRow, ...] = ()
    outbox: tuple[OutboxRow, ...] = ()
    timers: tuple[TimerRow, ...] = ()
    audit: tuple[AuditRow, ...] = ()


@dataclass(frozen=True)
class Ordering(Loop):
    """ordering's database."""

    orders: tuple[OrderRow, ...] = ()
    order_ids: tuple[OrderIdRow, ...] = ()
    order_lines: tuple[OrderLineRow, ...] = ()
    intake: tuple[IntakeRow, ...] = ()
    overviews: tuple[OverviewCopyRow, ...] = ()
    histories: tuple[HistoryRow, ...] = ()


@dataclass(frozen=True)
class Medication(Loop):
    """medication's database."""

    overviews: tuple[OverviewRow, ...] = ()
    changes: tuple[OverviewChangeRow, ...] = ()
    applied: tuple[AppliedChangeRow, ...] = ()


@dataclass(frozen=True)
class Notification(Loop):
    """notification's database."""

    orders: tuple[NotificationOrderRow, ...] = ()
    messages: tuple[MessageRow, ...] = ()


@dataclass(frozen=True)
class Metrics(Loop):
    """metrics' database."""

    counted: tuple[CountedOrderRow, ...] = ()
    lines: tuple[DailyLinesRow, ...] = ()
    orders: tuple[DailyOrdersRow, ...] = ()


@dataclass(frozen=True)
class Dump:
    """The content of a system at `taken_at` (UTC, PostgreSQL's clock).

    `records` are sorted by topic, partition and offset; `members` are those of the consumer groups.
    """

    taken_at: datetime
    partitions: tuple[PartitionRange, ...] = ()
    records: tuple[KafkaRecord, ...] = ()
    ordering: Ordering = field(default_factory=Ordering)
    medication: Medication = field(default_factory=Medication)
    notification: Notification = field(default_factory=Notification)
    metrics: Metrics = field(default_factory=Metrics)
    members: tuple[Member, ...] = ()

    @property
    def databases(self) -> dict[str, Loop]:
        """The databases by service."""
        return {
            "ordering": self.ordering,
            "medication": self.medication,
            "notification": self.notification,
            "metrics": self.metrics,
        }

    def tables(self) -> Iterator[tuple[str, tuple[Any, ...]]]:
        """Every table, named `service.table`, with its rows."""
        for service, database in self.databases.items():
            for table in fields(database):
                yield f"{service}.{table.name}", getattr(database, table.name)


def save(dump: Dump, folder: Path) -> None:
    """Write a dump as a folder of JSON lines, one file per topic and table.

    Raises:
        FileExistsError: the folder is not empty.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise FileExistsError(f"{folder} is not empty")
    _write(folder / _PARTITIONS, dump.partitions)
    _write(folder / _MEMBERS, dump.members)
    by_topic: dict[str, list[KafkaRecord]] = {partition.topic: [] for partition in dump.partitions}
    for record in dump.records:
        by_topic.setdefault(record.topic, []).append(record)
    for topic, records in by_topic.items():
        _write(folder / "topics" / f"{topic}.jsonl", records)
    for name, rows in dump.tables():
        _write(folder / "tables" / f"{name}.jsonl", rows)
    # Written last: its absence marks an incomplete dump.
    (folder / _ABOUT).write_bytes(msgspec.json.encode({"taken_at": dump.taken_at}))


def load(folder: Path) -> Dump:
    """Read a dump from its folder.

    Raises:
        DumpUnreadable: the folder does not hold a complete dump.
    """
    try:
        about = msgspec.json.decode((folder / _ABOUT).read_bytes(), type=dict[str, datetime])
        topics = sorted((folder / "topics").glob("*.jsonl"), key=lambda path: path.stem)
        return Dump(
            taken_at=about["taken_at"],
            partitions=_read(folder / _PARTITIONS, PartitionRange),
            records=tuple(record for path in topics for record in _read(path, KafkaRecord)),
            ordering=_database(folder, "ordering", Ordering),
            medication=_database(folder, "medication", Medication),
            notification=_database(folder, "notification", Notification),
            metrics=_database(folder, "metrics", Metrics),
            members=_read(folder / _MEMBERS, Member),
        )
    except (OSError, KeyError, msgspec.DecodeError) as error:
        raise DumpUnreadable(f"{folder} holds no complete dump ({type(error).__name__})") from error


def row_types(database: type[Loop]) -> dict[str, type]:
    """The row type of each table of a service's database."""
    return {name: get_args(hint)[0] for name, hint in get_type_hints(database).items()}


def _database(folder: Path, service: str, kind: Any) -> Any:
    return kind(
        **{
            name: _read(folder / "tables" / f"{service}.{name}.jsonl", row)
            for name, row in row_types(kind).items()
        }
    )


def _write(path: Path, rows: Any) -> None:
    path.parent.mkdir(exist_ok=True)
    encode = msgspec.json.Encoder().encode
    with path.open("wb") as file:
        file.writelines(encode(row) + b"\n" for row in rows)


def _read(path: Path, row: type) -> tuple[Any, ...]:
    decode: Callable[[bytes], Any] = msgspec.json.Decoder(row).decode
    with path.open("rb") as file:
        return tuple(decode(line) for line in file)
