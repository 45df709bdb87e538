"""The state that an order must have after its events. Shares no code with ordering, so no bug either."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from schemas.base import Actor, Reviewer, Role
from schemas.reasons import Reason, ReasonCode
from schemas.records.orders import (
    DecidedLine,
    OrderCancelled,
    OrderDecided,
    OrderEscalated,
    OrderEvent,
    OrderFulfilment,
    OrderLineDecided,
    OrderLineSignalled,
    Outcome,
    Signal,
    StatusSignal,
)
from verify.topic_records import ParsedRecord

OPEN = (Outcome.APPROVED, Outcome.REVIEW, Outcome.WAITING)
BY_PERSONS = (Outcome.APPROVED, Outcome.REFUSED, Outcome.E_CONSULT)
"""What a person can decide."""
_NOT_REPEATED = (ReasonCode.STOPPED_MEDICATION, ReasonCode.TEMPORARY_MEDICATION)
"""Why the policy itself may withdraw an approved line."""


@dataclass(frozen=True, slots=True)
class Past:
    """What a line was since the event at this offset, caused at `at` (UTC)."""

    offset: int
    at: datetime
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Sent:
    """What the prescription of a line says; `at` (UTC) and `by` are those of its approval."""

    at: datetime
    by: Actor
    prk: str
    medicine: str
    ordered_as: str | None
    quantity: Decimal | None
    unit: str | None
    dosage: str


@dataclass(slots=True)
class Line:
    """A line after its events.

    `decided_at` (UTC) is that of its last decision after the first event. `sent` is its prescription, kept when
    that is withdrawn, and `withdrawn` when (UTC) and why it was.
    """

    prk: str
    medicine: str
    quantity: Decimal | None
    dosage: str
    outcome: Outcome
    reasons: tuple[Reason, ...]
    unit: str | None
    ordered_as: str | None
    reviewer: Reviewer | None
    signals: tuple[Signal, ...]
    sent_by_practice: bool
    signal: StatusSignal | None = None
    decided_at: datetime | None = None
    sent: Sent | None = None
    withdrawn: tuple[datetime, str | None] | None = None
    past: list[Past] = field(default_factory=list)

    def before(self, offset: int) -> Past | None:
        """What the line was when the event at this offset of its patient's partition was decided."""
        return next((past for past in reversed(self.past) if past.offset < offset), None)


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
    policy = policy_of(first)
    lines = {line.line: _line(line) for line in first.lines}
    for line in lines.values():
        _approve(line, first.decided_at, policy)
        line.past.append(Past(events[0].offset, first.decided_at, line.outcome))
    order = ExpectedOrder(first.order_id, events, first, first.seq, lines)
    if any(line.outcome is Outcome.CANCELLED for line in first.lines):
        order.impossible.append((events[0], "the decision has a line that is cancelled already"))
    for message in events[1:]:
        _apply(order, message)
    return order


def policy_of(first: OrderDecided) -> Actor:
    """The policy that made this decision, as an actor."""
    return Actor(role=Role.POLICY, id=f"{first.practice} v{first.policy_version or 0}")


def happened_at(event: OrderEvent) -> datetime:
    """The append time (UTC) of the record that caused this event."""
    match event:
        case OrderCancelled():
            return event.cancelled_at
        case OrderEscalated():
            return event.escalated_at
        case OrderLineSignalled():
            return event.signalled_at
        case OrderFulfilment():
            return event.at
        case _:
            return event.decided_at


def _line(line: DecidedLine) -> Line:
    return Line(
        line.prk,
        line.medicine,
        line.quantity,
        line.dosage,
        line.outcome,
        line.reasons,
        line.unit,
        line.ordered_as,
        line.reviewer,
        line.signals,
        line.sent_by_practice,
    )


def _apply(order: ExpectedOrder, message: ParsedRecord) -> None:
    event = message.body
    order.seq = event.seq
    match event:
        case OrderDecided():
            order.impossible.append((message, "the order is decided a second time"))
        case OrderLineDecided():
            _decide(order, message, event)
        case OrderLineSignalled():
            _signal(order, message, event)
        case OrderCancelled():
            _cancel(order, message, event)
    if not _same_order(order.first, event):
        order.impossible.append(
            (message, "its patient, practice, pharmacy or channel differs from the decision's")
        )


def _decide(order: ExpectedOrder, message: ParsedRecord, event: OrderLineDecided) -> None:
    line = order.lines.get(event.line)
    if line is None or order.cancelled or not _may_decide(line, event):
        order.impossible.append((message, f"line {event.line} was not to be decided so"))
        return
    if line.prk != event.prk:
        order.impossible.append(
            (message, f"line {event.line} has another medicine than the decision")
        )
    was_approved = line.outcome is Outcome.APPROVED
    line.outcome, line.reasons, line.reviewer = event.outcome, event.reasons, event.reviewer
    line.medicine, line.ordered_as = event.medicine, event.ordered_as
    line.quantity, line.unit, line.dosage = event.quantity, event.unit, event.dosage
    line.signals, line.sent_by_practice = event.signals, event.sent_by_practice
    line.signal, line.decided_at = None, event.decided_at
    if not was_approved:
        _approve(line, event.decided_at, event.decided_by)
    elif event.outcome is not Outcome.APPROVED:
        _withdraw(line, event.decided_at, event.explanation)
    line.past.append(Past(message.offset, event.decided_at, event.outcome))


def _may_decide(line: Line, event: OrderLineDecided) -> bool:
    """Tell whether who decided may decide such a line so."""
    codes = {reason.code for reason in event.reasons}
    in_vain = any(reason.code is ReasonCode.UNKNOWN_PATIENT for reason in line.reasons)
    match line.outcome, event.decided_by.role:
        case Outcome.WAITING, Role.SYSTEM:
            return event.outcome is Outcome.REVIEW and codes == {ReasonCode.UNKNOWN_PATIENT}
        case Outcome.WAITING, Role.POLICY:
            return event.outcome is not Outcome.WAITING
        case Outcome.REVIEW, Role.POLICY:
            return in_vain and event.outcome is not Outcome.WAITING
        case Outcome.APPROVED, Role.POLICY:
            return event.outcome is Outcome.REFUSED and not codes.isdisjoint(_NOT_REPEATED)
        case ((Outcome.WAITING | Outcome.REVIEW | Outcome.APPROVED), Role.SYSTEM):
            return False
        case Outcome.REVIEW, _:
            return event.outcome in BY_PERSONS or event.reviewed_as in BY_PERSONS
        case Outcome.APPROVED, _:
            return line.signal is not None and event.outcome in BY_PERSONS
        case _:
            return False


def _approve(line: Line, at: datetime, by: Actor) -> None:
    if line.outcome is Outcome.APPROVED and not line.sent_by_practice:
        line.sent = Sent(
            at,
            by,
            line.prk,
            line.medicine,
            line.ordered_as,
            line.quantity,
            line.unit,
            line.dosage,
        )


def _withdraw(line: Line, at: datetime, reason: str | None) -> None:
    if line.sent is not None:
        line.withdrawn = (at, reason)


def _signal(order: ExpectedOrder, message: ParsedRecord, event: OrderLineSignalled) -> None:
    line = order.lines.get(event.line)
    if line is None or line.outcome is not Outcome.APPROVED:
        order.impossible.append((message, f"line {event.line} was not approved"))
        return
    if line.prk != event.prk:
        order.impossible.append(
            (message, f"line {event.line} has another medicine than the decision")
        )
    if line.signal is event.signal:
        order.impossible.append((message, f"line {event.line} was signalled so already"))
    line.signal = event.signal


def _cancel(order: ExpectedOrder, message: ParsedRecord, event: OrderCancelled) -> None:
    still_open = {number for number, line in order.lines.items() if line.outcome in OPEN}
    if order.cancelled or not event.lines or set(event.lines) != still_open:
        order.impossible.append((message, "its lines are not exactly those that were open"))
    order.cancelled = event
    for line in (order.lines[number] for number in event.lines if number in order.lines):
        if line.outcome is Outcome.APPROVED:
            _withdraw(line, event.cancelled_at, event.reason)
        line.outcome, line.reviewer, line.signal = Outcome.CANCELLED, None, None
        line.past.append(Past(message.offset, event.cancelled_at, Outcome.CANCELLED))


def _same_order(first: OrderDecided, event: OrderEvent) -> bool:
    return (event.patient, event.practice, event.pharmacy, event.channel) == (
        first.patient,
        first.practice,
        first.pharmacy,
        first.channel,
    )
