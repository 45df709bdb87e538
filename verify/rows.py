"""The rows of a dump: records on Kafka, and the tables of each service's database.

Times are UTC. Bodies are JSON text as stored.
"""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from runtime.messages.message import Headers


@dataclass(slots=True)
class KafkaRecord:
    """A record on Kafka; `timestamp` is the broker's append time in ms since 1970."""

    # Not frozen: the loop's parser takes a protocol with settable attributes.

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers

    @property
    def where(self) -> str:
        """Topic, partition and offset, such as `orders.events-3@120`."""
        return f"{self.topic}-{self.partition}@{self.offset}"


@dataclass(frozen=True, slots=True)
class PartitionRange:
    """The offsets in a partition, from `begin` up to and not including `end`."""

    topic: str
    partition: int
    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class ProgressRow:
    """A service's stored position in a partition."""

    topic: str
    partition: int
    next_offset: int
    epoch: int


@dataclass(frozen=True, slots=True)
class AuditRow:
    """An entry of a service's audit trail: what was done, to whose records, and on what."""

    writer: UUID
    seq: int
    action: str
    patient: str | None
    thing: str | None


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """Records that a service has decided and Kafka has not yet acknowledged."""

    id: int
    partition: int
    records: bytes
    created_at: datetime


@dataclass(frozen=True, slots=True)
class TimerRow:
    """A timer; `record` is published at `due_at`, in the loop's encoding."""

    id: UUID
    partition: int
    due_at: datetime
    record: bytes


@dataclass(frozen=True, slots=True)
class OrderRow:
    """ordering: an order; `journal` has a JSON object a line, one for each event."""

    order_id: UUID
    patient: str
    practice: str
    state: str
    placed_at: datetime
    digest: str
    body: str
    journal: str


@dataclass(frozen=True, slots=True)
class OrderIdRow:
    """ordering: an order's id, which no other order may have."""

    order_id: UUID
    placed_at: datetime


@dataclass(frozen=True, slots=True)
class OrderLineRow:
    """ordering: a line of an order, for searches; a waiting line is decided without an overview at `due`."""

    order_id: UUID
    line: int
    practice: str
    pharmacy: str
    patient: str
    prk: str
    outcome: str
    state: str
    due: datetime | None
    placed_at: datetime
    signal: str | None
    reviewer: str | None


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """ordering: what a patient ordered before; `lines` is JSON."""

    patient: str
    lines: str


@dataclass(frozen=True, slots=True)
class IntakeRow:
    """ordering: an order that the API accepted and the loop has not handled."""

    order_id: UUID
    patient: str
    digest: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class OverviewCopyRow:
    """ordering: its copy of a patient's overview; `medications` is JSON."""

    patient: str
    practice: str
    version: int
    medications: str


@dataclass(frozen=True, slots=True)
class OverviewRow:
    """medication: a patient's overview; `change`, `medications` and `flaws` are JSON as in the record."""

    patient: str
    practice: str
    version: int
    seen_version: int
    changed_at: datetime
    change: str
    medications: str
    flaws: str


@dataclass(frozen=True, slots=True)
class OverviewChangeRow:
    """medication: one change of an overview; `before`, `after` and `flaws` are JSON lists."""

    patient: str
    version: int
    change_id: UUID
    kind: str
    by_role: str
    by_id: str
    reason: str | None
    at: datetime
    practice_before: str | None
    practice: str
    before: str | None
    after: str
    flaws: str
    through: str | None


@dataclass(frozen=True, slots=True)
class AppliedChangeRow:
    """medication: a change that was applied."""

    patient: str
    change_id: UUID
    digest: str
    applied_at: datetime


@dataclass(frozen=True, slots=True)
class NotificationOrderRow:
    """notification: an order, as far as its messages need it."""

    order_id: UUID
    seq: int
    body: str


@dataclass(frozen=True, slots=True)
class MessageRow:
    """notification: a message in a patient's inbox."""

    id: int
    message_id: UUID
    patient: str
    order_id: UUID
    template: str
    template_version: int
    at: datetime
    facts: str


@dataclass(frozen=True, slots=True)
class CountedOrderRow:
    """metrics: a counted order; `outcomes` is JSON, outcome by line number."""

    order_id: UUID
    seq: int
    practice: str
    day: date
    channel: str
    outcomes: str


@dataclass(frozen=True, slots=True)
class DailyLinesRow:
    """metrics: the number of lines of a day with one outcome."""

    practice: str
    day: date
    channel: str
    outcome: str
    lines: int


@dataclass(frozen=True, slots=True)
class DailyOrdersRow:
    """metrics: the number of orders of a day."""

    practice: str
    day: date
    channel: str
    orders: int
