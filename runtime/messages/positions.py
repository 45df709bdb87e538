"""Positions, claims, acknowledgements and outbox rows: values that the loop and its store exchange."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from aiokafka import TopicPartition

from runtime.audit.entry import Entry
from runtime.messages.message import Outgoing, Timer


@dataclass(frozen=True, slots=True)
class Position:
    """The stored offset and epoch of a partition.

    `last_ms` is the append time of the record before `next_offset` (ms since 1970); None if not recorded.
    """

    next_offset: int
    epoch: int
    last_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """The advance of a partition from `expected` to `next_offset`; it holds only while `epoch` is the newest.

    `last_ms` is the append time of the record before `next_offset` (ms since 1970); None keeps the stored one.
    """

    topic: str
    partition: int
    expected: int
    next_offset: int
    epoch: int
    last_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """Kafka acknowledged all records of a partition before `next_offset`.

    `last_ms` is the append time of the last one (ms since 1970).
    """

    topic: str
    partition: int
    next_offset: int
    last_ms: int


@dataclass(frozen=True, slots=True)
class Published:
    """Published outbox rows by id, and acknowledgements of the service's output topic."""

    ids: Sequence[int]
    acknowledged: Sequence[Acknowledged]


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """An outbox row: its records, and the input partition that caused them."""

    id: int
    partition: int
    records: tuple[Outgoing, ...]


@dataclass(frozen=True, slots=True)
class Changes:
    """What a batch saves besides the service's tables, all or nothing.

    `outputs` become outbox rows, by input partition. `timers` are set, each with its input partition.
    `cancelled` are ids of timers. `published` are outbox rows to delete. `audited` goes into the audit trail.
    """

    claims: Sequence[Claim]
    outputs: Mapping[int, Sequence[Outgoing]] = field(default_factory=dict)
    timers: Sequence[tuple[int, Timer]] = ()
    cancelled: Sequence[str] = ()
    published: Sequence[Published] = ()
    audited: Sequence[Entry] = ()


def of_topic(acknowledged: Iterable[Acknowledged], topic: str | None) -> list[Acknowledged]:
    """Select the acknowledgements of this topic."""
    return [a for a in acknowledged if a.topic == topic]


def newest_per_partition(acknowledged: Iterable[Acknowledged]) -> list[Acknowledged]:
    """Select the acknowledgement with the highest offset of each partition, sorted by partition."""
    by_offset = sorted(acknowledged, key=lambda a: a.next_offset)
    newest = {(a.topic, a.partition): a for a in by_offset}
    return [newest[partition] for partition in sorted(newest)]


@dataclass(frozen=True, slots=True)
class Assigned:
    """The positions of assigned partitions, and the id of the cluster that the stored offsets belong to."""

    cluster: str
    positions: Mapping[TopicPartition, Position]


@dataclass(frozen=True, slots=True)
class Fired:
    """Records of due timers by input partition, and the ids of their outbox rows."""

    ids: Sequence[int]
    outputs: Mapping[int, Sequence[Outgoing]]
