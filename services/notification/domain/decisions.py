"""Decides which messages a patient gets: one answer to every order, one message for each later decision.

Pure: a function of the event, the state of its order, and the directory.
"""

from collections.abc import Collection, Iterable
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
    OrderLineSignalled,
    Outcome,
)
from schemas.trusted import trusted
from services.notification.domain.messages import (
    Answer,
    AnsweredLine,
    Cancellation,
    Facts,
    NoPickup,
    OtherLine,
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
    """The directory's practice and pharmacy of an order, None when not listed, and their calendar."""

    practice: Practice | None
    pharmacy: Pharmacy | None
    calendar: Calendar


class AlreadySent(Struct, frozen=True):
    """The message about this event was sent before the database was restored, with this promise or none."""

    promise: PickupPromised | None


class PatientMessage(Struct, frozen=True):
    """A message to the patient."""

    kind: Kind
    facts: Facts


class Decision(Struct, frozen=True):
    """The order after a new event, with the message and the promise for the patient."""

    order: Order
    message: PatientMessage | None = None
    promise: PickupPromised | None = None


class Repeated(Struct, frozen=True):
    """The event is handled already."""


_Response: TypeAlias = tuple[PatientMessage | None, PickupPromised | None]
_NO_RESPONSE: _Response = (None, None)


def decide(
    event: OrderEvent,
    order: Order | None,
    parties: Parties,
    at: datetime,
    sent: AlreadySent | None = None,
) -> Decision | Repeated:
    """Decide the message and the promise for the next event of an order; `at` (UTC) is its append time.

    If the message was already `sent`, its promise stays, whatever the directory now contains.
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
) -> _Response:
    match event:
        case OrderDecided():
            return _order_answer(event, parties, at, sent)
        case OrderLineDecided():
            return _line_answer(event, order, parties, at, sent)
        case OrderCancelled():
            return _cancellation(event, order, parties)
        case OrderLineSignalled() | OrderEscalated() | OrderFulfilment():
            return _NO_RESPONSE
        case _:
            assert_never(event)


def _order_answer(
    event: OrderDecided, parties: Parties, at: datetime, sent: AlreadySent | None
) -> _Response:
    lines = tuple(map(answered_line, event.lines))
    answer, promise = _answer(event, lines, parties, at, sent)
    return PatientMessage(Kind.ORDER_ANSWER, answer), promise


def _line_answer(
    event: OrderLineDecided,
    order: Order | None,
    parties: Parties,
    at: datetime,
    sent: AlreadySent | None,
) -> _Response:
    approved_before = _is_approved(order, event.line)
    if approved_before and event.outcome is Outcome.APPROVED:
        # The practice looked at it again and keeps it: what the patient was told still holds.
        return _NO_RESPONSE
    answer, promise = _answer(event, (answered_line(event),), parties, at, sent)
    facts = replace(
        answer,
        # Whoever approved a medicine that had been stopped explains an approval that there is not.
        explanation=None if event.reviewed_as else event.explanation,
        explained_by=event.decided_by.role,
        rest=_rest(order, [event.line]),
        withdrawn=approved_before,
    )
    return PatientMessage(Kind.LINE_ANSWER, facts), promise


def _is_approved(order: Order | None, number: int) -> bool:
    lines = order.lines if order else ()
    return any(line.number == number and line.outcome is Outcome.APPROVED for line in lines)


def _cancellation(event: OrderCancelled, order: Order | None, parties: Parties) -> _Response:
    lines = [line for line in (order.lines if order else ()) if line.number in event.lines]
    by = event.cancelled_by.role
    facts = Cancellation(
        practice=practice_contact(event.practice, parties.practice),
        pharmacy=pharmacy_contact(parties.pharmacy),
        medicines=tuple(line.medicine for line in lines),
        was_approved=any(line.outcome is Outcome.APPROVED for line in lines),
        by_practice=by in (Role.ASSISTANT, Role.GP),
        reason=None if by in (Role.PATIENT, Role.PROXY) else event.reason,
        by=by,
        rest=_rest(order, event.lines),
    )
    return PatientMessage(Kind.ORDER_CANCELLED, facts), None


def _rest(order: Order | None, lines: Collection[int]) -> tuple[OtherLine, ...]:
    """The order's lines other than these."""
    others = (line for line in (order.lines if order else ()) if line.number not in lines)
    return tuple(OtherLine(line.medicine, line.outcome) for line in others)


def _answer(
    event: OrderDecided | OrderLineDecided,
    lines: tuple[AnsweredLine, ...],
    parties: Parties,
    at: datetime,
    sent: AlreadySent | None,
) -> tuple[Answer, PickupPromised | None]:
    approved = tuple(line.line for line in lines if _is_collected(line))
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


def _is_collected(line: AnsweredLine) -> bool:
    """Tell whether we can say when a line is ready: the pharmacy has a prescription of ours."""
    return line.outcome is Outcome.APPROVED and not line.sent_by_practice


def _pickup(parties: Parties, decided_at: datetime, sent: AlreadySent | None) -> Window | NoPickup:
    """The pickup window, or why there is none."""
    if sent is not None and sent.promise is not None:
        return local_window(sent.promise.from_, sent.promise.until)
    first = _first_pickup(parties, decided_at)
    if sent is not None and isinstance(first, Window):
        # The message was sent without a window and keeps none, even if the directory now gives one.
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
