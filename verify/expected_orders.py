"""The state that an order must have after its events. Shares no code with ordering, so no bug either."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from schemas.base import Actor, Role
from schemas.reasons import Reason
from schemas.records.orders import (
    OrderCancelled,
    OrderDecided,
    OrderEscalated,
    OrderEvent,
    OrderFulfilment,
    OrderLineDecided,
    Outcome,
)
from verify.topic_records import ParsedRecord

OPEN = (Outcome.APPROVED, Outcome.REVIEW, Outcome.WAITING)
UNDECIDED = (Outcome.REVIEW, Outcome.WAITING)


@dataclass(slots=True)
class Line:
    """A line after its events. `approved`: when (UTC) and by whom, kept when the line is cancelled later."""

    prk: str
    medicine: str
    quantity: Decimal
    dosage: str
    outcome: Outcome
    reasons: tuple[Reason, ...]
    approved: tuple[datetime, Actor] | None
    unit: str | None
    ordered_as: str | None
    withdrawn: bool = False


@dataclass(slots=True)
class ExpectedOrder:
    """An order after its events, applied in the order of their first appearance on the topic."""

    order_id: UUID
    events: Sequence[ParsedRecord]
    first: OrderDecided
    seq: int
    lines: dict[int, Line]
    cancelled: OrderCancelled | None = None
    impossible: list[tuple[ParsedRecord, str]] = field(default_factory=list)
    """Events that the state before them does not allow, with the reason."""

    @property
    def is_open(self) -> bool:
        """Whether a cancellation would still cancel a line."""
        return not self.cancelled and any(line.outcome in OPEN for line in self.lines.values())

    @property
    def waits(self) -> bool:
        """Whether a line waits for the patient's overview."""
        return any(line.outcome is Outcome.WAITING for line in self.lines.values())


def expected_order(events: Sequence[ParsedRecord]) -> ExpectedOrder | None:
    """Compute an order's state from its events; None when the first event is not its decision."""
    first = events[0].body
    if not isinstance(first, OrderDecided):
        return None
    policy = Actor(role=Role.POLICY, id=f"{first.practice} v{first.policy_version or 0}")
    lines = {
        line.line: Line(
            line.prk,
            line.medicine,
            line.quantity,
            line.dosage,
            line.outcome,
            line.reasons,
            (first.decided_at, policy) if line.outcome is Outcome.APPROVED else None,
            line.unit,
            line.ordered_as,
        )
        for line in first.lines
    }
    order = ExpectedOrder(first.order_id, events, first, first.seq, lines)
    if any(line.outcome is Outcome.CANCELLED for line in first.lines):
        order.impossible.append((events[0], "the decision has a line that is cancelled already"))
    for message in events[1:]:
        _apply(order, message)
    return order


def happened_at(event: OrderEvent) -> datetime:
    """The append time (UTC) of the record that caused this event."""
    match event:
        case OrderCancelled():
            return event.cancelled_at
        case OrderEscalated():
            return event.escalated_at
        case OrderFulfilment():
            return event.at
        case _:
            return event.decided_at


def _apply(order: ExpectedOrder, message: ParsedRecord) -> None:
    event = message.body
    order.seq = event.seq
    match event:
        case OrderDecided():
            order.impossible.append((message, "the order is decided a second time"))
        case OrderLineDecided():
            _decide(order, message, event)
        case OrderCancelled():
            _cancel(order, message, event)
    if not _same_order(order.first, event):
        order.impossible.append(
            (message, "its patient, practice, pharmacy or channel differs from the decision's")
        )


def _decide(order: ExpectedOrder, message: ParsedRecord, event: OrderLineDecided) -> None:
    line = order.lines.get(event.line)
    if line is None or line.outcome not in UNDECIDED or order.cancelled:
        order.impossible.append((message, f"line {event.line} was not waiting or in review"))
        return
    if line.prk != event.prk:
        order.impossible.append(
            (message, f"line {event.line} has another medicine than the decision")
        )
    line.outcome, line.reasons = event.outcome, event.reasons
    line.medicine, line.ordered_as = event.medicine, event.ordered_as
    line.quantity, line.unit, line.dosage = event.quantity, event.unit, event.dosage
    if event.outcome is Outcome.APPROVED:
        line.approved = (event.decided_at, event.decided_by)


def _cancel(order: ExpectedOrder, message: ParsedRecord, event: OrderCancelled) -> None:
    still_open = {number for number, line in order.lines.items() if line.outcome in OPEN}
    if order.cancelled or not event.lines or set(event.lines) != still_open:
        order.impossible.append((message, "its lines are not exactly those that were open"))
    order.cancelled = event
    for line in (order.lines[number] for number in event.lines if number in order.lines):
        line.withdrawn = line.outcome is Outcome.APPROVED
        line.outcome = Outcome.CANCELLED


def _same_order(first: OrderDecided, event: OrderEvent) -> bool:
    return (event.patient, event.practice, event.pharmacy, event.channel) == (
        first.patient,
        first.practice,
        first.pharmacy,
        first.channel,
    )
