"""An order as its own published events tell it: what is adopted when the database is older than they are.

Pure, like `domain`: nothing is decided here, only followed.
"""

from collections.abc import Sequence
from typing import assert_never

from msgspec.structs import replace

from schemas.orders import (
    DecidedLine,
    OrderCancelled,
    OrderDecided,
    OrderEscalated,
    OrderEvent,
    OrderFulfilment,
    OrderLineDecided,
    OrderPlace,
    Outcome,
)
from services.ordering import events
from services.ordering.domain import Changed, Refused, Unchanged
from services.ordering.events import Prescription
from services.ordering.order import Line, Order, placed, policy_actor


def adopt(order: Order, event: OrderEvent) -> Changed | Unchanged | Refused:
    """Follow an event that was published of an order that is known; its order's events come in order."""
    if event.seq <= order.seq:
        return Unchanged()
    if event.patient != order.patient or event.seq > order.seq + 1:
        return Refused("not_its_next_event")
    after, prescriptions = _follow(order, event)
    return Changed(after, (), prescriptions)


def place(command: OrderPlace, digest: str, told: Sequence[OrderEvent]) -> Changed | Refused:
    """The order that this command placed, as it was decided and as it went on: `told` are its events.

    Nothing is told again but prescriptions: what was lost may have come between them and the events.
    """
    decided, *others = told
    if not isinstance(decided, OrderDecided) or not _is_decision_on(decided, command):
        return Refused("order_conflict")
    order, prescriptions = _begin(command, digest, decided)
    for event in others:
        order, more = _follow(order, event)
        prescriptions += more
    return Changed(order, (), prescriptions)


def _is_decision_on(event: OrderDecided, command: OrderPlace) -> bool:
    """Whether this event decided what this command asks, and not another order under its id."""
    asked = [(n.line, n.prk, n.medicine, n.quantity) for n in command.lines]
    told = [(n.line, n.prk, n.medicine, n.quantity) for n in event.lines]
    return (asked, command.patient, command.practice, command.pharmacy, command.channel) == (
        told,
        event.patient,
        event.practice,
        event.pharmacy,
        event.channel,
    )


def _begin(
    command: OrderPlace, digest: str, event: OrderDecided
) -> tuple[Order, tuple[Prescription, ...]]:
    """The order as it was decided, and the prescriptions that were due with that."""
    lines = tuple(_line(line) for line in event.lines)
    order = placed(command, digest, event.placed_at, event.seq, lines)
    by = policy_actor(event.practice, event.policy_version)
    return order, events.approved(order, order.lines, event.decided_at, by)


def _follow(order: Order, event: OrderEvent) -> tuple[Order, tuple[Prescription, ...]]:
    """The order after its next event, and the prescriptions or withdrawals that were due with that."""
    after = replace(order, seq=event.seq)
    match event:
        case OrderLineDecided():
            decided = [_decided(line, event) for line in order.lines if line.number == event.line]
            after = _with_lines(after, decided)
            return after, events.approved(after, decided, event.decided_at, event.decided_by)
        case OrderCancelled():
            taken_back = [line for line in order.lines if line.number in event.lines]
            gone = [replace(line, outcome=Outcome.CANCELLED) for line in taken_back]
            after = replace(_with_lines(after, gone), cancelled=True)
            return after, events.withdrawn(order, taken_back, event.cancelled_at, event.reason)
        case OrderEscalated() | OrderFulfilment() | OrderDecided():
            return after, ()
        case _:
            assert_never(event)


def _line(told: DecidedLine) -> Line:
    return Line(
        told.line,
        told.prk,
        told.medicine,
        told.quantity,
        told.outcome,
        told.reasons,
        told.dosage,
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


def _with_lines(order: Order, changed: Sequence[Line]) -> Order:
    by_number = {line.number: line for line in changed}
    return replace(order, lines=tuple(by_number.get(line.number, line) for line in order.lines))
