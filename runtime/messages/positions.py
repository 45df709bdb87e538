"""Values that say how far topics were handled and published; they know neither Kafka's client nor SQL."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from aiokafka import TopicPartition

from runtime.messages.message import Outgoing, Timer


@dataclass(frozen=True, slots=True)
class Position:
    """The stored offset of an assigned partition.

    `last_ms` is the append time of the record before `next_offset` (ms since 1970), None when not known.
    """

    next_offset: int
    epoch: int
    last_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """One partition's step from `expected` to `next_offset`, valid only while `epoch` is the newest.

    `last_ms` is the append time of the record before `next_offset`, None where the offset does not move.
    """

    topic: str
    partition: int
    expected: int
    next_offset: int
    epoch: int
    last_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """How far Kafka has acknowledged what was published to a partition, and the last record's append time."""

    topic: str
    partition: int
    next_offset: int
    last_ms: int


@dataclass(frozen=True, slots=True)
class Published:
    """Outbox rows that Kafka has, and what it acknowledged of the service's output topic."""

    ids: Sequence[int]
    acknowledged: Sequence[Acknowledged]


@dataclass(frozen=True, slots=True)
class Stored:
    """An outbox row: its records, and the partition of the input that caused them."""

    id: int
    partition: int
    records: tuple[Outgoing, ...]


@dataclass(frozen=True, slots=True)
class Changes:
    """What a batch saves besides the service's own states, all or nothing.

    `outputs` become outbox rows, by partition of the input; `timers` are set, each for a partition of the
    input; `cancelled` are ids of timers; `published` are outbox rows to drop.
    """

    claims: Sequence[Claim]
    outputs: Mapping[int, Sequence[Outgoing]] = field(default_factory=dict)
    timers: Sequence[tuple[int, Timer]] = ()
    cancelled: Sequence[str] = ()
    published: Sequence[Published] = ()


def about(acknowledged: Iterable[Acknowledged], topic: str | None) -> list[Acknowledged]:
    """The acknowledgements of this topic."""
    return [a for a in acknowledged if a.topic == topic]


def newest(acknowledged: Iterable[Acknowledged]) -> list[Acknowledged]:
    """The furthest acknowledgement of each partition, in the order of topics and partitions."""
    by_offset = sorted(acknowledged, key=lambda a: a.next_offset)
    furthest = {(a.topic, a.partition): a for a in by_offset}
    return [furthest[where] for where in sorted(furthest)]


@dataclass(frozen=True, slots=True)
class Taken:
    """Partitions that are taken, and the Kafka cluster to which the stored offsets belong."""

    cluster: str
    positions: Mapping[TopicPartition, Position]


@dataclass(frozen=True, slots=True)
class Fired:
    """Due records by partition of the input, and the ids of their outbox rows."""

    ids: Sequence[int]
    outputs: Mapping[int, Sequence[Outgoing]]
