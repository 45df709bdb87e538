"""What a patient is told: one answer to every order, and a message for each later decision.

Pure: a function of the event, what is known of the order, and the directory.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import assert_never
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from schemas.base import Role
from schemas.directory import Pharmacy, Practice
from schemas.notifications import PickupPromised
from schemas.orders import (
    OrderCancelled,
    OrderDecided,
    OrderEscalated,
    OrderEvent,
    OrderFulfilment,
    OrderLineDecided,
    Outcome,
)
from schemas.trusted import trusted
from services.notification.facts import (
    Answer,
    Cancellation,
    Facts,
    Kind,
    LineTold,
    NoPickup,
    line_told,
    pharmacy_told,
    practice_told,
)
from services.notification.pickup import Calendar, Window, local_window, pickup_window, rule_text

_pickup_promised = trusted(PickupPromised)


class Line(Struct, frozen=True):
    """One line of an order, as far as patients were told about it."""

    number: int
    medicine: str
    outcome: Outcome


class Order(Struct, frozen=True):
    """What is known of an order; `seq` is that of the last event that was taken."""

    order_id: UUID
    patient: str
    seq: int
    lines: tuple[Line, ...] = ()


class Known(Struct, frozen=True):
    """The directory's entries for an order, None where it has none, and their calendar."""

    practice: Practice | None
    pharmacy: Pharmacy | None
    calendar: Calendar


class Told(Struct, frozen=True):
    """What the patient was told of an event before this database was restored: it holds."""

    promise: PickupPromised | None


class Message(Struct, frozen=True):
    """Something to tell the patient."""

    kind: Kind
    facts: Facts


class Taken(Struct, frozen=True):
    """An event was new: the order as it is known now, and what the patient is told and promised."""

    order: Order
    message: Message | None = None
    promise: PickupPromised | None = None


class Seen(Struct, frozen=True):
    """An event that was taken before."""


def take(
    event: OrderEvent, order: Order | None, known: Known, at: datetime, told: Told | None = None
) -> Taken | Seen:
    """Tell the patient about a new event of an order; `at` (UTC) is when it reached us.

    What was `told` of it already is told again, whatever the directory says now.
    """
    if order is not None and event.seq <= order.seq:
        return Seen()
    current = order or Order(event.order_id, event.patient, 0)
    match event:
        case OrderDecided():
            return _answer(event, current, known, at, told)
        case OrderLineDecided():
            return _line_answer(event, current, known, at, told)
        case OrderCancelled():
            return _cancelled(event, current, known)
        case OrderEscalated() | OrderFulfilment():
            return Taken(replace(current, seq=event.seq))
        case _:
            assert_never(event)


def _answer(
    event: OrderDecided, order: Order, known: Known, at: datetime, told: Told | None
) -> Taken:
    answer, promise = _answered(event, tuple(map(line_told, event.lines)), known, at, told)
    lines = tuple(Line(line.line, line.medicine, line.outcome) for line in event.lines)
    return Taken(
        replace(order, seq=event.seq, lines=lines), Message(Kind.ORDER_ANSWER, answer), promise
    )


def _line_answer(
    event: OrderLineDecided, order: Order, known: Known, at: datetime, told: Told | None
) -> Taken:
    answer, promise = _answered(event, (line_told(event),), known, at, told)
    explained = replace(answer, explanation=event.explanation)
    decided = Line(event.line, event.medicine, event.outcome)
    others = tuple(line for line in order.lines if line.number != event.line)
    lines = tuple(sorted((*others, decided), key=lambda line: line.number))
    return Taken(
        replace(order, seq=event.seq, lines=lines), Message(Kind.LINE_ANSWER, explained), promise
    )


def _cancelled(event: OrderCancelled, order: Order, known: Known) -> Taken:
    gone = [line for line in order.lines if line.number in event.lines]
    by_practice = event.cancelled_by.role in (Role.ASSISTANT, Role.GP)
    facts = Cancellation(
        practice=practice_told(event.practice, known.practice),
        pharmacy=pharmacy_told(known.pharmacy),
        medicines=tuple(line.medicine for line in gone),
        was_approved=any(line.outcome is Outcome.APPROVED for line in gone),
        by_practice=by_practice,
        reason=event.reason if by_practice else None,
    )
    lines = tuple(
        replace(line, outcome=Outcome.CANCELLED) if line in gone else line for line in order.lines
    )
    return Taken(replace(order, seq=event.seq, lines=lines), Message(Kind.ORDER_CANCELLED, facts))


def _answered(
    event: OrderDecided | OrderLineDecided,
    lines: tuple[LineTold, ...],
    known: Known,
    at: datetime,
    told: Told | None,
) -> tuple[Answer, PickupPromised | None]:
    approved = tuple(line.line for line in lines if line.outcome is Outcome.APPROVED)
    pickup = _pickup(known, event.decided_at, told) if approved else None
    window = pickup if isinstance(pickup, Window) else None
    answer = Answer(
        practice=practice_told(event.practice, known.practice),
        pharmacy=pharmacy_told(known.pharmacy),
        lines=lines,
        window=window,
        no_pickup=pickup if isinstance(pickup, NoPickup) else None,
    )
    promise = told.promise if told else _promise(event, approved, window, known.practice, at)
    return answer, promise


def _pickup(known: Known, decided_at: datetime, told: Told | None) -> Window | NoPickup:
    """When to collect at the pharmacy, or why that cannot be said."""
    if told is not None and told.promise is not None:
        return local_window(told.promise.from_, told.promise.until)
    found = _first_pickup(known, decided_at)
    if told is not None and isinstance(found, Window):
        # There was none when the patient was told, whatever the directory has learned since.
        return NoPickup.NO_OPENING
    return found


def _first_pickup(known: Known, decided_at: datetime) -> Window | NoPickup:
    if known.pharmacy is None:
        return NoPickup.PHARMACY_UNKNOWN
    if known.practice is None:
        return NoPickup.PRACTICE_UNKNOWN
    window = pickup_window(decided_at, known.practice.processing, known.calendar)
    return window or NoPickup.NO_OPENING


def _promise(
    event: OrderDecided | OrderLineDecided,
    lines: Iterable[int],
    window: Window | None,
    practice: Practice | None,
    at: datetime,
) -> PickupPromised | None:
    if window is None or practice is None:
        return None
    return _pickup_promised(
        order_id=event.order_id,
        patient=event.patient,
        practice=event.practice,
        pharmacy=event.pharmacy,
        lines=tuple(lines),
        from_=window.start,
        until=window.until,
        rule=rule_text(practice),
        promised_at=at,
    )
