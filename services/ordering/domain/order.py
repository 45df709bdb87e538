"""The state of an order: how it begins, and how each event changes it."""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from typing import assert_never
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from schemas.base import Actor, Channel, PlacedBy, Reviewer
from schemas.reasons import Reason
from schemas.records.orders import (
    DecidedLine,
    OrderCancelled,
    OrderDecided,
    OrderEscalated,
    OrderEvent,
    OrderFulfilment,
    OrderLineDecided,
    OrderLineSignalled,
    OrderPlace,
    OrderState,
    Outcome,
    Signal,
    StatusSignal,
)

OPEN = (Outcome.WAITING, Outcome.REVIEW, Outcome.APPROVED)
"""Outcomes of lines that can still be cancelled, and that count as ordered."""


class Line(Struct, frozen=True, omit_defaults=True):
    """The current state of one line, with what its last event says of it.

    `decided_by`, `decided_at` (UTC), `decided_as` and `explanation` are those of the last `OrderLineDecided`,
    None before the first. `decided_as` is the reviewer's decision, also when the overview overruled it.
    `signal` is what became of the medicine since the line was approved, until somebody decides the line again.
    """

    number: int
    prk: str
    medicine: str
    quantity: Decimal | None
    outcome: Outcome
    reasons: tuple[Reason, ...] = ()
    dosage: str = ""
    decided_by: Actor | None = None
    decided_as: Outcome | None = None
    unit: str | None = None
    ordered_as: str | None = None
    decided_at: datetime | None = None
    explanation: str | None = None
    reviewer: Reviewer | None = None
    signals: tuple[Signal, ...] = ()
    sent_by_practice: bool = False
    signal: StatusSignal | None = None


class Order(Struct, frozen=True, dict=True):
    """The current state of an order; `seq` is its newest event's. Times are UTC.

    `digest` is the command's: it distinguishes a repeated command from another order under the same id.
    """

    order_id: UUID
    patient: str
    practice: str
    pharmacy: str
    channel: Channel
    placed_by: PlacedBy
    placed_at: datetime
    digest: str
    seq: int
    lines: tuple[Line, ...]
    remark: str | None = None
    supply_until: date | None = None
    cancelled: bool = False
    cancelled_by: Actor | None = None
    cancelled_at: datetime | None = None
    cancel_reason: str | None = None

    @cached_property
    def state(self) -> OrderState:
        """The state of the whole order, derived from its lines."""
        if self.cancelled:
            return OrderState.CANCELLED
        return state_of([line.outcome for line in self.lines])


def begin(command: OrderPlace, digest: str, event: OrderDecided) -> Order:
    """Create the order from its command and its first event.

    `placed_by`, `remark` and `supply_until` come from the command: not every event has them.
    """
    return Order(
        order_id=command.order_id,
        patient=command.patient,
        practice=command.practice,
        pharmacy=command.pharmacy,
        channel=command.channel,
        placed_by=command.placed_by,
        placed_at=event.placed_at,
        digest=digest,
        seq=event.seq,
        lines=tuple([_as_decided(line) for line in event.lines]),
        remark=command.remark,
        supply_until=command.supply_until,
    )


def evolve(order: Order, event: OrderEvent) -> Order:
    """Apply the next event to the order, whether just decided or recovered from the topic."""
    match event:
        case OrderLineDecided():
            lines = [_decided(n, event) if n.number == event.line else n for n in order.lines]
            return replace(order, seq=event.seq, lines=tuple(lines))
        case OrderLineSignalled():
            lines = [_signalled(n, event) if n.number == event.line else n for n in order.lines]
            return replace(order, seq=event.seq, lines=tuple(lines))
        case OrderCancelled():
            lines = [_cancelled(n) if n.number in event.lines else n for n in order.lines]
            return replace(
                order,
                seq=event.seq,
                lines=tuple(lines),
                cancelled=True,
                cancelled_by=event.cancelled_by,
                cancelled_at=event.cancelled_at,
                cancel_reason=event.reason,
            )
        case OrderDecided() | OrderEscalated() | OrderFulfilment():
            return replace(order, seq=event.seq)
        case _:
            assert_never(event)


def state_of(outcomes: Iterable[Outcome]) -> OrderState:
    """Derive the state of an order from the outcomes of its lines."""
    distinct = set(outcomes)
    if Outcome.WAITING in distinct:
        return OrderState.WAITING
    if Outcome.REVIEW in distinct:
        return OrderState.IN_REVIEW
    if distinct == {Outcome.APPROVED}:
        return OrderState.APPROVED
    return OrderState.PARTLY_APPROVED if Outcome.APPROVED in distinct else OrderState.REFUSED


def _as_decided(line: DecidedLine) -> Line:
    return Line(
        line.line,
        line.prk,
        line.medicine,
        line.quantity,
        line.outcome,
        line.reasons,
        line.dosage,
        unit=line.unit,
        ordered_as=line.ordered_as,
        reviewer=line.reviewer,
        signals=line.signals,
        sent_by_practice=line.sent_by_practice,
    )


def _decided(line: Line, event: OrderLineDecided) -> Line:
    return Line(
        line.number,
        line.prk,
        event.medicine,
        event.quantity,
        event.outcome,
        event.reasons,
        event.dosage,
        event.decided_by,
        event.reviewed_as or event.outcome,
        event.unit,
        event.ordered_as,
        event.decided_at,
        event.explanation,
        event.reviewer,
        event.signals,
        event.sent_by_practice,
    )


def _signalled(line: Line, event: OrderLineSignalled) -> Line:
    return replace(line, signal=event.signal)


def _cancelled(line: Line) -> Line:
    return replace(line, outcome=Outcome.CANCELLED, reviewer=None, signal=None)
