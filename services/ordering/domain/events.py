"""Makes an order's events, and the prescriptions and withdrawals that follow from them."""

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import assert_never
from uuid import UUID, uuid5

from schemas.base import Actor, Role
from schemas.records.orders import (
    DecidedLine,
    OrderCancel,
    OrderCancelled,
    OrderDecided,
    OrderEscalated,
    OrderEvent,
    OrderFulfilment,
    OrderLine,
    OrderLineDecided,
    OrderPlace,
    Outcome,
)
from schemas.records.prescriptions import PrescriptionApproved, PrescriptionWithdrawn
from schemas.trusted import trusted
from services.ordering.domain.names import contradicts
from services.ordering.domain.order import Line, Order, evolve, state_of
from services.ordering.domain.overview import Entry
from services.ordering.domain.rules import Verdict

Prescription = PrescriptionApproved | PrescriptionWithdrawn

# Built for nearly every order, so without validation.
_order_decided = trusted(OrderDecided)
_decided_line = trusted(DecidedLine)
_prescription_approved = trusted(PrescriptionApproved)


def prescription_id(order_id: UUID, line: int) -> UUID:
    """The prescription id of an order line (UUID version 5): the same whoever approves the line, and when."""
    return uuid5(order_id, f"prescription/{line}")


@lru_cache(maxsize=10_000)
def policy_actor(practice: str, version: int | None) -> Actor:
    """The actor for an approval by a practice's policy; version 0 stands for the default policy."""
    return Actor(role=Role.POLICY, id=f"{practice} v{version or 0}")


def decided(
    command: OrderPlace,
    at: datetime,
    lines: tuple[DecidedLine, ...],
    overview_version: int | None,
    policy_version: int | None,
    through: str | None,
) -> OrderDecided:
    """The first event of a new order that came `through` this outside system, if any; `at` is UTC."""
    return _order_decided(
        order_id=command.order_id,
        seq=1,
        patient=command.patient,
        practice=command.practice,
        pharmacy=command.pharmacy,
        channel=command.channel,
        placed_by=command.placed_by,
        placed_at=at,
        decided_at=at,
        overview_version=overview_version,
        policy_version=policy_version,
        state=state_of([line.outcome for line in lines]),
        lines=lines,
        through=through,
    )


def decided_line(line: OrderLine, verdict: Verdict, entry: Entry | None) -> DecidedLine:
    """A line of the first event; `entry` is the overview's."""
    return _decided_line(
        line=line.line,
        prk=line.prk,
        medicine=entry.medicine if entry else line.medicine,
        quantity=line.quantity,
        dosage=entry.dosage if entry else "",
        outcome=verdict.outcome,
        reasons=verdict.reasons,
        unit=entry.unit if entry else None,
        ordered_as=ordered_as(line.medicine, entry),
    )


def ordered_as(ordered: str, entry: Entry | None) -> str | None:
    """The order's name for a medicine, if it contradicts the overview's."""
    return ordered if entry and contradicts(ordered, entry.medicine) else None


def line_decided(
    order: Order,
    seq: int,
    line: Line,
    at: datetime,
    by: Actor,
    explanation: str | None = None,
    reviewed_as: Outcome | None = None,
) -> OrderLineDecided:
    """The event for a line that was in review or waiting; `line` is as decided now, `at` is UTC."""
    return OrderLineDecided(
        order_id=order.order_id,
        seq=seq,
        patient=order.patient,
        practice=order.practice,
        pharmacy=order.pharmacy,
        channel=order.channel,
        line=line.number,
        prk=line.prk,
        medicine=line.medicine,
        outcome=line.outcome,
        reasons=line.reasons,
        quantity=line.quantity,
        dosage=line.dosage,
        decided_by=by,
        decided_at=at,
        explanation=explanation,
        unit=line.unit,
        ordered_as=line.ordered_as,
        reviewed_as=reviewed_as,
    )


def cancelled(
    order: Order, lines: Iterable[int], at: datetime, command: OrderCancel, through: str | None
) -> OrderCancelled:
    """The event for a cancelled order; `lines` are those that were still open, `at` is UTC.

    `through` is the outside system that the command came through, if any.
    """
    return OrderCancelled(
        order_id=order.order_id,
        seq=order.seq + 1,
        patient=order.patient,
        practice=order.practice,
        pharmacy=order.pharmacy,
        channel=order.channel,
        lines=tuple(sorted(lines)),
        cancelled_by=command.cancelled_by,
        cancelled_at=at,
        reason=command.reason,
        through=through,
    )


def follow(order: Order, events: Iterable[OrderEvent]) -> tuple[Order, tuple[Prescription, ...]]:
    """Evolve the order by its next events, and collect the prescriptions that follow from them."""
    issued: list[Prescription] = []
    for event in events:
        issued += prescriptions(order, event)
        order = evolve(order, event)
    return order, tuple(issued)


def prescriptions(order: Order, event: OrderEvent) -> tuple[Prescription, ...]:
    """A prescription for each line that the event approves, a withdrawal for each approved line it cancels.

    `order` is the state before the event; for the first event, the state after it.
    """
    match event:
        case OrderDecided():
            return first_prescriptions(order, event)
        case OrderLineDecided(outcome=Outcome.APPROVED):
            return (_approved(order, event, event.decided_at, event.decided_by),)
        case OrderCancelled():
            lines = [line for line in order.lines if line.number in event.lines]
            approved = [line for line in lines if line.outcome is Outcome.APPROVED]
            return tuple([_withdrawn(order, line, event) for line in approved])
        case OrderLineDecided() | OrderEscalated() | OrderFulfilment():
            return ()
        case _:
            assert_never(event)


def first_prescriptions(order: Order, event: OrderDecided) -> tuple[Prescription, ...]:
    """A prescription for each line that the first event approves."""
    by = policy_actor(event.practice, event.policy_version)
    approved = [line for line in event.lines if line.outcome is Outcome.APPROVED]
    return tuple([_approved(order, line, event.decided_at, by) for line in approved])


def _approved(
    order: Order, line: DecidedLine | OrderLineDecided, at: datetime, by: Actor
) -> PrescriptionApproved:
    return _prescription_approved(
        prescription_id=prescription_id(order.order_id, line.line),
        order_id=order.order_id,
        line=line.line,
        patient=order.patient,
        practice=order.practice,
        pharmacy=order.pharmacy,
        prk=line.prk,
        medicine=line.medicine,
        quantity=line.quantity,
        dosage=line.dosage,
        remark=order.remark,
        supply_until=order.supply_until,
        approved_at=at,
        approved_by=by,
        unit=line.unit,
        ordered_as=line.ordered_as,
    )


def _withdrawn(order: Order, line: Line, event: OrderCancelled) -> PrescriptionWithdrawn:
    return PrescriptionWithdrawn(
        prescription_id=prescription_id(order.order_id, line.number),
        order_id=order.order_id,
        line=line.number,
        patient=order.patient,
        practice=order.practice,
        pharmacy=order.pharmacy,
        withdrawn_at=event.cancelled_at,
        reason=event.reason,
    )
