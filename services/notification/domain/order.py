"""The state of an order in notification: its lines with their medicines and outcomes."""

from collections.abc import Iterable
from datetime import datetime
from typing import assert_never
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from schemas.records.orders import (
    OrderCancelled,
    OrderDecided,
    OrderEscalated,
    OrderEvent,
    OrderFulfilment,
    OrderLineDecided,
    OrderLineSignalled,
    Outcome,
)


class Line(Struct, frozen=True):
    """One line of an order: only what messages need."""

    number: int
    medicine: str
    outcome: Outcome


class Order(Struct, frozen=True):
    """The current state of an order; `seq` is its newest event's.

    `approved_at` (UTC) is when a line was last approved, None while none is; orders of before lack it, and
    `pharmacy`.
    """

    order_id: UUID
    patient: str
    seq: int
    lines: tuple[Line, ...] = ()
    pharmacy: str | None = None
    approved_at: datetime | None = None


def evolve(order: Order | None, event: OrderEvent) -> Order:
    """Apply the next event to the order; None is an order without events."""
    current = order or Order(event.order_id, event.patient, 0)
    lines = _lines_after(current.lines, event)
    return replace(
        current,
        seq=event.seq,
        lines=lines,
        pharmacy=event.pharmacy,
        approved_at=_approved_at(lines, event, current.approved_at),
    )


def _approved_at(
    lines: Iterable[Line], event: OrderEvent, before: datetime | None
) -> datetime | None:
    if not any(line.outcome is Outcome.APPROVED for line in lines):
        return None
    match event:
        case OrderDecided():
            return event.decided_at
        case OrderLineDecided(outcome=Outcome.APPROVED):
            return event.decided_at
        case (
            OrderLineDecided()
            | OrderLineSignalled()
            | OrderCancelled()
            | OrderEscalated()
            | OrderFulfilment()
        ):
            return before
        case _:
            assert_never(event)


def _lines_after(lines: tuple[Line, ...], event: OrderEvent) -> tuple[Line, ...]:
    match event:
        case OrderDecided():
            return tuple(Line(line.line, line.medicine, line.outcome) for line in event.lines)
        case OrderLineDecided():
            return _with_decided(lines, Line(event.line, event.medicine, event.outcome))
        case OrderCancelled():
            return _with_cancelled(lines, event.lines)
        case OrderLineSignalled() | OrderEscalated() | OrderFulfilment():
            return lines
        case _:
            assert_never(event)


def _with_decided(lines: tuple[Line, ...], decided: Line) -> tuple[Line, ...]:
    others = (line for line in lines if line.number != decided.number)
    return tuple(sorted((*others, decided), key=lambda line: line.number))


def _with_cancelled(lines: tuple[Line, ...], numbers: tuple[int, ...]) -> tuple[Line, ...]:
    return tuple(
        replace(line, outcome=Outcome.CANCELLED) if line.number in numbers else line
        for line in lines
    )
