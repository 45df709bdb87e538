"""An order as it stands: where it begins, how each event changes it, and the state of the whole."""

from collections.abc import Iterable
from datetime import date, datetime
from functools import cached_property
from typing import assert_never
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from schemas.base import Actor, Channel, PlacedBy
from schemas.reasons import Reason
from schemas.records.orders import (
    DecidedLine,
    OrderCancelled,
    OrderDecided,
    OrderEscalated,
    OrderEvent,
    OrderFulfilment,
    OrderLineDecided,
    OrderPlace,
    OrderState,
    Outcome,
)


class Line(Struct, frozen=True):
    """One line of an order as it stands now; `dosage` is that of the overview when it was decided.

    `decided_by` is who decided it after the order's own decision, and `decided_as` what; None as long as
    nobody did.
    """

    number: int
    prk: str
    medicine: str
    quantity: int
    outcome: Outcome
    reasons: tuple[Reason, ...] = ()
    dosage: str = ""
    decided_by: Actor | None = None
    decided_as: Outcome | None = None


class Order(Struct, frozen=True, dict=True):
    """An order as it stands now; `seq` is that of its newest event. Times are UTC.

    `digest` tells whether the same order comes again or another under the same id.
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

    @cached_property
    def state(self) -> OrderState:
        """What became of the order as a whole."""
        if self.cancelled:
            return OrderState.CANCELLED
        return state_of([line.outcome for line in self.lines])


def begin(command: OrderPlace, digest: str, event: OrderDecided) -> Order:
    """The order that this command placed, after the first event of it.

    Only the command says who placed it, its remark and how long it has to last: no event repeats these.
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
    """The order after its next event, whether that is decided now or was published before a restore."""
    match event:
        case OrderLineDecided():
            lines = [_decided(n, event) if n.number == event.line else n for n in order.lines]
            return replace(order, seq=event.seq, lines=tuple(lines))
        case OrderCancelled():
            lines = [_cancelled(n) if n.number in event.lines else n for n in order.lines]
            return replace(order, seq=event.seq, lines=tuple(lines), cancelled=True)
        case OrderDecided() | OrderEscalated() | OrderFulfilment():
            return replace(order, seq=event.seq)
        case _:
            assert_never(event)


def state_of(outcomes: Iterable[Outcome]) -> OrderState:
    """What lines with these outcomes make of their order."""
    found = set(outcomes)
    if Outcome.WAITING in found:
        return OrderState.WAITING
    if Outcome.REVIEW in found:
        return OrderState.IN_REVIEW
    if found == {Outcome.APPROVED}:
        return OrderState.APPROVED
    return OrderState.PARTLY_APPROVED if Outcome.APPROVED in found else OrderState.REFUSED


def _as_decided(line: DecidedLine) -> Line:
    return Line(
        line.line,
        line.prk,
        line.medicine,
        line.quantity,
        line.outcome,
        line.reasons,
        line.dosage,
    )


def _decided(line: Line, event: OrderLineDecided) -> Line:
    return replace(
        line,
        outcome=event.outcome,
        reasons=event.reasons,
        quantity=event.quantity,
        dosage=event.dosage,
        decided_by=event.decided_by,
        decided_as=event.outcome,
    )


def _cancelled(line: Line) -> Line:
    return replace(line, outcome=Outcome.CANCELLED)
