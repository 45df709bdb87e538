"""What a dump holds of Kafka and of each service's database, as plain rows.

Times are UTC. Bodies are the JSON text as it is stored.
"""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from runtime.messages.message import Headers


@dataclass(slots=True)
class Rec:
    """A record on Kafka; `timestamp` is the broker's append time in ms since 1970."""

    # Not frozen, as the loop's parser wants a record with attributes that could be set.

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers

    @property
    def where(self) -> str:
        """Such as `orders.events-3@120`."""
        return f"{self.topic}-{self.partition}@{self.offset}"


@dataclass(frozen=True, slots=True)
class Span:
    """What a partition holds: offsets from `begin` up to, not including, `end`."""

    topic: str
    partition: int
    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class ProgressRow:
    """Where a service stands in one partition of an input."""

    topic: str
    partition: int
    next_offset: int
    epoch: int


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """Records that a service has decided and may not have published."""

    id: int
    partition: int
    records: bytes
    created_at: datetime


@dataclass(frozen=True, slots=True)
class TimerRow:
    """A due time; `record` is what is published then, as the loop stores it."""

    id: UUID
    partition: int
    due_at: datetime
    record: bytes


@dataclass(frozen=True, slots=True)
class OrderRow:
    """ordering: an order as it stands."""

    order_id: UUID
    patient: str
    practice: str
    state: str
    placed_at: datetime
    digest: str
    body: str


@dataclass(frozen=True, slots=True)
class OrderLineRow:
    """ordering: a line of an order, to be searched; `due` is when it is given up."""

    order_id: UUID
    line: int
    practice: str
    pharmacy: str
    patient: str
    prk: str
    outcome: str
    state: str
    due: datetime | None


@dataclass(frozen=True, slots=True)
class IntakeRow:
    """ordering: an order that the API took and the loop has not seen."""

    order_id: UUID
    patient: str
    digest: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class CopyRow:
    """ordering: its copy of a patient's overview; `medications` is JSON."""

    patient: str
    practice: str
    version: int
    medications: str


@dataclass(frozen=True, slots=True)
class OverviewRow:
    """medication: a patient's overview; `change` and `medications` are JSON with the record's names."""

    patient: str
    practice: str
    version: int
    seen_version: int
    changed_at: datetime
    change: str
    medications: str


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """medication: what one change did to an overview; `before` and `after` are JSON lists of medicines."""

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


@dataclass(frozen=True, slots=True)
class AppliedRow:
    """medication: a change that was carried out."""

    patient: str
    change_id: UUID
    digest: str
    applied_at: datetime


@dataclass(frozen=True, slots=True)
class ToldRow:
    """notification: what a patient was told of an order."""

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
class CountedRow:
    """metrics: how an order is counted; `outcomes` is JSON, outcome by line number."""

    order_id: UUID
    seq: int
    practice: str
    day: date
    channel: str
    outcomes: str


@dataclass(frozen=True, slots=True)
class LinesRow:
    """metrics: a day's lines."""

    practice: str
    day: date
    channel: str
    outcome: str
    lines: int


@dataclass(frozen=True, slots=True)
class OrdersRow:
    """metrics: a day's orders."""

    practice: str
    day: date
    channel: str
    orders: int
