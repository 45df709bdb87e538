"""What happened to an order, as records: events for everybody, prescriptions for its pharmacy."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID, uuid5

from schemas.base import Actor
from schemas.orders import DecidedLine, OrderCancelled, OrderDecided, OrderLineDecided, Outcome
from schemas.prescriptions import PrescriptionApproved, PrescriptionWithdrawn
from schemas.trusted import trusted
from services.ordering.order import Line, Order
from services.ordering.rules import Known

SOURCE = "nl.herhaal/ordering"
"""Who tells it: `ce_source` of all that ordering publishes."""

API_SOURCE = f"{SOURCE}/http"
"""Who tells ordering what its own API was asked."""

Prescription = PrescriptionApproved | PrescriptionWithdrawn

# What nearly every order leads to.
_order_decided = trusted(OrderDecided)
_decided_line = trusted(DecidedLine)
_prescription_approved = trusted(PrescriptionApproved)


def prescription_id(order_id: UUID, line: int) -> UUID:
    """The id of the prescription that an approved line leads to, whoever approves it and whenever."""
    return uuid5(order_id, f"prescription/{line}")


def decided(order: Order, known: Known) -> OrderDecided:
    """The first event of every order."""
    return _order_decided(
        order_id=order.order_id,
        seq=order.seq,
        patient=order.patient,
        practice=order.practice,
        pharmacy=order.pharmacy,
        channel=order.channel,
        placed_at=order.placed_at,
        decided_at=order.placed_at,
        overview_version=known.overview.version if known.overview else None,
        policy_version=known.policy_version,
        state=order.state,
        lines=tuple(
            [
                _decided_line(
                    line=line.number,
                    prk=line.prk,
                    medicine=line.medicine,
                    quantity=line.quantity,
                    dosage=line.dosage,
                    outcome=line.outcome,
                    reasons=line.reasons,
                )
                for line in order.lines
            ]
        ),
    )


def line_decided(
    order: Order, seq: int, line: Line, at: datetime, by: Actor, explanation: str | None
) -> OrderLineDecided:
    """A line that was in review or waiting has its outcome."""
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
        seq=order.seq,
        patient=order.patient,
        practice=order.practice,
        pharmacy=order.pharmacy,
        channel=order.channel,
        lines=tuple(sorted(lines)),
        cancelled_by=by,
        cancelled_at=at,
        reason=reason,
    )


def approved(
    order: Order, lines: Iterable[Line], at: datetime, by: Actor
) -> tuple[PrescriptionApproved, ...]:
    """A prescription for each of these lines that is approved."""
    return tuple(
        _prescription_approved(
            prescription_id=prescription_id(order.order_id, line.number),
            order_id=order.order_id,
            line=line.number,
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
        for line in lines
        if line.outcome is Outcome.APPROVED
    )


def withdrawn(
    order: Order, lines: Iterable[Line], at: datetime, reason: str | None
) -> tuple[PrescriptionWithdrawn, ...]:
    """A withdrawal for each of these lines that was approved."""
    return tuple(
        PrescriptionWithdrawn(
            prescription_id=prescription_id(order.order_id, line.number),
            order_id=order.order_id,
            line=line.number,
            patient=order.patient,
            practice=order.practice,
            pharmacy=order.pharmacy,
            withdrawn_at=at,
            reason=reason,
        )
        for line in lines
        if line.outcome is Outcome.APPROVED
    )
