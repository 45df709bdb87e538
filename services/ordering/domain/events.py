"""Makes an order's events, and the prescriptions and withdrawals that follow from them."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import assert_never
from uuid import UUID, uuid5

from schemas.base import Actor, Role
from schemas.numbers import LARGEST
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
    OrderLineSignalled,
    OrderPlace,
    Outcome,
    StatusSignal,
)
from schemas.records.prescriptions import PrescriptionApproved, PrescriptionWithdrawn
from schemas.trusted import trusted
from services.ordering.domain.facts import Facts
from services.ordering.domain.knowledge import Known
from services.ordering.domain.names import contradicts
from services.ordering.domain.order import Line, Order, evolve, state_of
from services.ordering.domain.overview import Entry
from services.ordering.domain.rules import VERSION, Verdict

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
    command: OrderPlace, lines: tuple[DecidedLine, ...], known: Known, through: str | None
) -> OrderDecided:
    """The first event of a new order that came `through` this outside system, if any."""
    return _order_decided(
        order_id=command.order_id,
        seq=1,
        patient=command.patient,
        practice=command.practice,
        pharmacy=command.pharmacy,
        channel=command.channel,
        placed_by=command.placed_by,
        placed_at=known.at,
        decided_at=known.at,
        overview_version=known.overview_version,
        policy_version=known.policy_version,
        state=state_of([line.outcome for line in lines]),
        lines=lines,
        through=through,
        rules=VERSION,
    )


def decided_line(line: OrderLine, verdict: Verdict, facts: Facts) -> DecidedLine:
    """A line of the first event."""
    entry = facts.entry
    return _decided_line(
        line=line.line,
        prk=line.prk,
        medicine=entry.medicine if entry else line.medicine,
        quantity=quantity_of(line, entry),
        dosage=entry.dosage if entry else "",
        outcome=verdict.outcome,
        reasons=verdict.reasons,
        unit=entry.unit if entry else None,
        ordered_as=ordered_as(line.medicine, entry),
        reviewer=verdict.reviewer,
        signals=verdict.signals,
        sent_by_practice=is_sent_by_practice(verdict, facts),
    )


def is_sent_by_practice(verdict: Verdict, facts: Facts) -> bool:
    """Tell whether the practice sends the prescription itself, as the pharmacy is not connected."""
    return verdict.outcome is Outcome.APPROVED and not facts.known.connected


def quantity_of(line: OrderLine | Line, entry: Entry | None) -> Decimal | None:
    """How much is ordered: the usual quantity where the order has none, None where nothing says what is
    usual."""
    if line.quantity is not None or entry is None:
        return line.quantity
    # Two dosages together may be more than one line can have.
    return min(entry.quantity, LARGEST)


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
    *,
    asked: bool = False,
) -> OrderLineDecided:
    """The event for a line that is decided later; `line` is as decided now, `at` is UTC.

    `asked` if the rules decided, and not a person or a timer.
    """
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
        reviewer=line.reviewer,
        signals=line.signals,
        sent_by_practice=line.sent_by_practice,
        rules=VERSION if asked else None,
    )


def line_signalled(
    order: Order, seq: int, line: Line, signal: StatusSignal, known: Known
) -> OrderLineSignalled:
    """The event for an approved line whose medicine is not to be repeated any more."""
    assert known.overview_version is not None, "an overview tells it"
    return OrderLineSignalled(
        order_id=order.order_id,
        seq=seq,
        patient=order.patient,
        practice=order.practice,
        pharmacy=order.pharmacy,
        channel=order.channel,
        line=line.number,
        prk=line.prk,
        signal=signal,
        overview_version=known.overview_version,
        signalled_at=known.at,
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
    """A prescription for each line that the event approves, a withdrawal for each approved line that it ends.

    `order` is the state before the event; for the first event, the state after it. A line that the practice
    sends itself has neither.
    """
    match event:
        case OrderDecided():
            return first_prescriptions(order, event)
        case OrderLineDecided():
            return _of_decided_line(order, event)
        case OrderCancelled():
            sent = [line for line in order.lines if line.number in event.lines and _is_sent(line)]
            return tuple(
                [_withdrawn(order, line, event.cancelled_at, event.reason) for line in sent]
            )
        case OrderLineSignalled() | OrderEscalated() | OrderFulfilment():
            return ()
        case _:
            assert_never(event)


def first_prescriptions(order: Order, event: OrderDecided) -> tuple[Prescription, ...]:
    """A prescription for each line that the first event approves."""
    by = policy_actor(event.practice, event.policy_version)
    sent = [line for line in event.lines if _is_sent(line)]
    return tuple([_approved(order, line, event.decided_at, by) for line in sent])


def _is_sent(line: DecidedLine | OrderLineDecided | Line) -> bool:
    """Tell whether a prescription of ours goes to the pharmacy."""
    return line.outcome is Outcome.APPROVED and not line.sent_by_practice


def _of_decided_line(order: Order, event: OrderLineDecided) -> tuple[Prescription, ...]:
    """The prescription or withdrawal that follows; none for a line that was sent already and is kept."""
    before = next(line for line in order.lines if line.number == event.line)
    if before.outcome is not Outcome.APPROVED:
        return (
            (_approved(order, event, event.decided_at, event.decided_by),)
            if _is_sent(event)
            else ()
        )
    if event.outcome is Outcome.APPROVED or not _is_sent(before):
        return ()
    return (_withdrawn(order, before, event.decided_at, event.explanation),)


def _approved(
    order: Order, line: DecidedLine | OrderLineDecided, at: datetime, by: Actor
) -> PrescriptionApproved:
    assert line.quantity is not None, "an approved line has its entry's quantity, if not its own"
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


def _withdrawn(order: Order, line: Line, at: datetime, reason: str | None) -> PrescriptionWithdrawn:
    return PrescriptionWithdrawn(
        prescription_id=prescription_id(order.order_id, line.number),
        order_id=order.order_id,
        line=line.number,
        patient=order.patient,
        practice=order.practice,
        pharmacy=order.pharmacy,
        withdrawn_at=at,
        reason=reason,
    )
