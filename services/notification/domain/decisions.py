"""Decides what a patient is sent: one answer to every order, and a message for each later decision.

Pure: a function of the event, the order so far, and the directory.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import TypeAlias, assert_never

from msgspec import Struct
from msgspec.structs import replace

from schemas.base import Role
from schemas.records.directory import Pharmacy, Practice
from schemas.records.notifications import Kind, PickupPromised
from schemas.records.orders import (
    OrderCancelled,
    OrderDecided,
    OrderEscalated,
    OrderEvent,
    OrderFulfilment,
    OrderLineDecided,
    Outcome,
)
from schemas.trusted import trusted
from services.notification.domain.messages import (
    Answer,
    AnsweredLine,
    Cancellation,
    Facts,
    NoPickup,
    answered_line,
    pharmacy_contact,
    practice_contact,
)
from services.notification.domain.order import Order, evolve
from services.notification.domain.pickup import (
    Calendar,
    Window,
    local_window,
    pickup_window,
    rule_text,
)

_pickup_promised = trusted(PickupPromised)


class Parties(Struct, frozen=True):
    """The practice and the pharmacy of an order by the directory, None where it has none; their calendar."""

    practice: Practice | None
    pharmacy: Pharmacy | None
    calendar: Calendar


class AlreadySent(Struct, frozen=True):
    """What the patient was sent about an event before this database was restored from a backup."""

    promise: PickupPromised | None


class PatientMessage(Struct, frozen=True):
    """A message for the patient."""

    kind: Kind
    facts: Facts


class Decision(Struct, frozen=True):
    """The order after a new event, and what the patient is sent and promised."""

    order: Order
    message: PatientMessage | None = None
    promise: PickupPromised | None = None


class Repeated(Struct, frozen=True):
    """The event was handled before."""


_Sent: TypeAlias = tuple[PatientMessage | None, PickupPromised | None]
_NOTHING: _Sent = (None, None)


def decide(
    event: OrderEvent,
    order: Order | None,
    parties: Parties,
    at: datetime,
    sent: AlreadySent | None = None,
) -> Decision | Repeated:
    """What to send about the next event of an order; `at` (UTC) is the event's append time.

    A promise that was `sent` about it already stays, whatever the directory says now.
    """
    if order is not None and event.seq <= order.seq:
        return Repeated()
    message, promise = _respond(event, order, parties, at, sent)
    return Decision(evolve(order, event), message, promise)


def _respond(
    event: OrderEvent,
    order: Order | None,
    parties: Parties,
    at: datetime,
    sent: AlreadySent | None,
) -> _Sent:
    match event:
        case OrderDecided():
            return _order_answer(event, parties, at, sent)
        case OrderLineDecided():
            return _line_answer(event, parties, at, sent)
        case OrderCancelled():
            return _cancellation(event, order, parties)
        case OrderEscalated() | OrderFulfilment():
            return _NOTHING
        case _:
            assert_never(event)


def _order_answer(
    event: OrderDecided, parties: Parties, at: datetime, sent: AlreadySent | None
) -> _Sent:
    lines = tuple(map(answered_line, event.lines))
    answer, promise = _answer(event, lines, parties, at, sent)
    return PatientMessage(Kind.ORDER_ANSWER, answer), promise


def _line_answer(
    event: OrderLineDecided, parties: Parties, at: datetime, sent: AlreadySent | None
) -> _Sent:
    answer, promise = _answer(event, (answered_line(event),), parties, at, sent)
    explained = replace(answer, explanation=event.explanation)
    return PatientMessage(Kind.LINE_ANSWER, explained), promise


def _cancellation(event: OrderCancelled, order: Order | None, parties: Parties) -> _Sent:
    lines = [line for line in (order.lines if order else ()) if line.number in event.lines]
    by_practice = event.cancelled_by.role in (Role.ASSISTANT, Role.GP)
    facts = Cancellation(
        practice=practice_contact(event.practice, parties.practice),
        pharmacy=pharmacy_contact(parties.pharmacy),
        medicines=tuple(line.medicine for line in lines),
        was_approved=any(line.outcome is Outcome.APPROVED for line in lines),
        by_practice=by_practice,
        reason=event.reason if by_practice else None,
    )
    return PatientMessage(Kind.ORDER_CANCELLED, facts), None


def _answer(
    event: OrderDecided | OrderLineDecided,
    lines: tuple[AnsweredLine, ...],
    parties: Parties,
    at: datetime,
    sent: AlreadySent | None,
) -> tuple[Answer, PickupPromised | None]:
    approved = tuple(line.line for line in lines if line.outcome is Outcome.APPROVED)
    pickup = _pickup(parties, event.decided_at, sent) if approved else None
    window = pickup if isinstance(pickup, Window) else None
    answer = Answer(
        practice=practice_contact(event.practice, parties.practice),
        pharmacy=pharmacy_contact(parties.pharmacy),
        lines=lines,
        window=window,
        no_pickup=pickup if isinstance(pickup, NoPickup) else None,
    )
    promise = sent.promise if sent else _promise(event, approved, window, parties.practice, at)
    return answer, promise


def _pickup(parties: Parties, decided_at: datetime, sent: AlreadySent | None) -> Window | NoPickup:
    """When to collect at the pharmacy, or why that cannot be said."""
    if sent is not None and sent.promise is not None:
        return local_window(sent.promise.from_, sent.promise.until)
    first = _first_pickup(parties, decided_at)
    if sent is not None and isinstance(first, Window):
        # The message was sent without a window, so it keeps none, although the directory would give one now.
        return NoPickup.NO_OPENING
    return first


def _first_pickup(parties: Parties, decided_at: datetime) -> Window | NoPickup:
    if parties.pharmacy is None:
        return NoPickup.PHARMACY_UNKNOWN
    if parties.practice is None:
        return NoPickup.PRACTICE_UNKNOWN
    window = pickup_window(decided_at, parties.practice.processing, parties.calendar)
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
