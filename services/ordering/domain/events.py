"""What happened to an order, as records: events for everybody, and what these mean for its pharmacy."""

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import assert_never
from uuid import UUID, uuid5

from schemas.base import Actor, Role
from schemas.records.orders import (
    DecidedLine,
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
from services.ordering.domain.order import Line, Order, evolve, state_of
from services.ordering.domain.rules import Verdict

Prescription = PrescriptionApproved | PrescriptionWithdrawn

# What nearly every order leads to.
_order_decided = trusted(OrderDecided)
_decided_line = trusted(DecidedLine)
_prescription_approved = trusted(PrescriptionApproved)


def prescription_id(order_id: UUID, line: int) -> UUID:
    """The id of the prescription that an approved line leads to, whoever approves it and whenever."""
    return uuid5(order_id, f"prescription/{line}")


@lru_cache(maxsize=10_000)
def policy_actor(practice: str, version: int | None) -> Actor:
    """A practice's policy as the one who approves; version 0 is the careful default."""
    return Actor(role=Role.POLICY, id=f"{practice} v{version or 0}")


def decided(
    command: OrderPlace,
    at: datetime,
    lines: tuple[DecidedLine, ...],
    overview_version: int | None,
    policy_version: int | None,
) -> OrderDecided:
    """The first event of every order."""
    return _order_decided(
        order_id=command.order_id,
        seq=1,
        patient=command.patient,
        practice=command.practice,
        pharmacy=command.pharmacy,
        channel=command.channel,
        placed_at=at,
        decided_at=at,
        overview_version=overview_version,
        policy_version=policy_version,
        state=state_of([line.outcome for line in lines]),
        lines=lines,
    )


def decided_line(line: OrderLine, verdict: Verdict, dosage: str) -> DecidedLine:
    """A line of a new order, as the first event has it."""
    return _decided_line(
        line=line.line,
        prk=line.prk,
        medicine=line.medicine,
        quantity=line.quantity,
        dosage=dosage,
        outcome=verdict.outcome,
        reasons=verdict.reasons,
    )


def line_decided(
    order: Order, seq: int, line: Line, at: datetime, by: Actor, explanation: str | None
) -> OrderLineDecided:
    """A line that was in review or waiting has its outcome; `line` is as it is then."""
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
    )


def cancelled(
    order: Order, lines: Iterable[int], at: datetime, by: Actor, reason: str | None
) -> OrderCancelled:
    """An order was taken back; `lines` are those that were still open."""
    return OrderCancelled(
        order_id=order.order_id,
        seq=order.seq + 1,
        patient=order.patient,
        practice=order.practice,
        pharmacy=order.pharmacy,
        channel=order.channel,
        lines=tuple(sorted(lines)),
        cancelled_by=by,
        cancelled_at=at,
        reason=reason,
    )


def follow(order: Order, events: Iterable[OrderEvent]) -> tuple[Order, tuple[Prescription, ...]]:
    """The order after these next events of it, and all that they mean for its pharmacy."""
    means: list[Prescription] = []
    for event in events:
        means += prescriptions(order, event)
        order = evolve(order, event)
    return order, tuple(means)


def prescriptions(order: Order, event: OrderEvent) -> tuple[Prescription, ...]:
    """What an event means for the order's pharmacy: a prescription for each line that it approves, a
    withdrawal for each approved line that it takes back.

    `order` is as it was before the event, and as it begins with its first one.
    """
    match event:
        case OrderDecided():
            return first_prescriptions(order, event)
        case OrderLineDecided(outcome=Outcome.APPROVED):
            return (_approved(order, event, event.decided_at, event.decided_by),)
        case OrderCancelled():
            gone = [line for line in order.lines if line.number in event.lines]
            approved_before = [line for line in gone if line.outcome is Outcome.APPROVED]
            return tuple([_withdrawn(order, line, event) for line in approved_before])
        case OrderLineDecided() | OrderEscalated() | OrderFulfilment():
            return ()
        case _:
            assert_never(event)


def first_prescriptions(order: Order, event: OrderDecided) -> tuple[Prescription, ...]:
    """A prescription for each line that is approved as the order is placed."""
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
