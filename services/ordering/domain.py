"""What ordering decides: new orders, what they waited for, reviews, cancellations.

Pure: a function of the command, what is known, and the time at which Kafka took the command.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from schemas.base import Actor, Role
from schemas.directory import Policy
from schemas.orders import (
    OrderCancel,
    OrderEvent,
    OrderLine,
    OrderPlace,
    OrderReview,
    OrderTimer,
    Outcome,
)
from schemas.reasons import Reason, ReasonCode
from services.ordering import events
from services.ordering.events import Prescription
from services.ordering.order import Line, Order, placed, policy_actor
from services.ordering.rules import Known, decide_line

SYSTEM = Actor(role=Role.SYSTEM, id="ordering")

_OPEN = (Outcome.APPROVED, Outcome.REVIEW, Outcome.WAITING)
"""Outcomes of lines that can still be taken back."""


class Changed(Struct, frozen=True):
    """An order's next state and what follows from the change."""

    order: Order
    events: tuple[OrderEvent, ...]
    prescriptions: tuple[Prescription, ...] = ()


class Unchanged(Struct, frozen=True):
    """The command asks for what is already so."""


class Refused(Struct, frozen=True):
    """The command cannot be carried out; `code` says why."""

    code: str


Result = Changed | Unchanged | Refused


def place(command: OrderPlace, digest: str, at: datetime, known: Known) -> Changed:
    """Decide a new order, placed at `at` (UTC)."""
    lines = tuple([decide_line(command, line, known) for line in command.lines])
    order = placed(command, digest, at, 1, lines)
    by = policy_actor(order.practice, known.policy_version)
    prescriptions = events.approved(order, order.lines, at, by)
    return Changed(order, (events.decided(order, known),), prescriptions)


def place_again(order: Order, command: OrderPlace, digest: str) -> Unchanged | Refused:
    """The same order once more is nothing new; another one under its id is refused."""
    if order.patient == command.patient and order.digest == digest:
        return Unchanged()
    return Refused("order_conflict")


def overview_arrived(order: Order, at: datetime, known: Known) -> Changed | Unchanged:
    """Decide the lines that waited for the patient's overview."""
    command = _as_placed(order)
    waiting = [line for line in order.lines if line.outcome is Outcome.WAITING]
    decided = [
        decide_line(command, asked, known)
        for asked in command.lines
        if any(asked.line == line.number for line in waiting)
    ]
    by = policy_actor(order.practice, known.policy_version)
    return _decide_lines(order, decided, at, by)


def timer_fired(order: Order | None, timer: OrderTimer, at: datetime) -> Changed | Unchanged:
    """An overview that does not come: the practice does not know the patient."""
    if order is None or order.cancelled or timer.kind != "overview_overdue":
        return Unchanged()
    unknown = (Reason(code=ReasonCode.UNKNOWN_PATIENT),)
    overdue = [
        replace(line, outcome=Outcome.REFUSED, reasons=unknown)
        for line in order.lines
        if line.outcome is Outcome.WAITING
    ]
    return _decide_lines(order, overdue, at, SYSTEM)


def review(order: Order | None, command: OrderReview, at: datetime) -> Result:
    """A person decides a line that is in review; the same decision once more is nothing new."""
    if order is None or order.patient != command.patient:
        return Refused("unknown_order")
    line = next((line for line in order.lines if line.number == command.line), None)
    if line is not None and _is_so(line, command):
        return Unchanged()
    if line is None or order.cancelled or line.outcome is not Outcome.REVIEW:
        return Refused("not_in_review")
    reviewed = replace(
        line, outcome=command.outcome, reasons=(), quantity=command.quantity or line.quantity
    )
    return _decide_lines(order, [reviewed], at, command.decided_by, command.explanation)


def cancel(order: Order | None, command: OrderCancel, at: datetime) -> Result:
    """Take back every line that is still open, and withdraw what was approved."""
    if order is None or order.patient != command.patient:
        return Refused("unknown_order")
    if not is_open(order):
        return Unchanged()
    open_lines = [line for line in order.lines if line.outcome in _OPEN]
    numbers = {line.number for line in open_lines}
    cancelled = replace(
        order,
        cancelled=True,
        seq=order.seq + 1,
        lines=tuple(
            replace(line, outcome=Outcome.CANCELLED) if line.number in numbers else line
            for line in order.lines
        ),
    )
    event = events.cancelled(cancelled, numbers, at, command.cancelled_by, command.reason)
    return Changed(cancelled, (event,), events.withdrawn(order, open_lines, at, command.reason))


def is_open(order: Order) -> bool:
    """Whether a cancellation would still take something back."""
    return not order.cancelled and any(line.outcome in _OPEN for line in order.lines)


def waits_until(order: Order, policy: Policy) -> datetime:
    """When an order that waits for an overview is given up (UTC)."""
    return order.placed_at + timedelta(minutes=policy.overview_patience_minutes)


def _is_so(line: Line, command: OrderReview) -> bool:
    """Whether this person has decided this line so already."""
    same = (line.decided_as, line.decided_by) == (command.outcome, command.decided_by)
    return same and command.quantity in (None, line.quantity)


def _as_placed(order: Order) -> OrderPlace:
    """The order as it was asked for."""
    lines = tuple(
        OrderLine(line=line.number, prk=line.prk, medicine=line.medicine, quantity=line.quantity)
        for line in order.lines
    )
    return OrderPlace(
        order_id=order.order_id,
        patient=order.patient,
        practice=order.practice,
        pharmacy=order.pharmacy,
        channel=order.channel,
        placed_by=order.placed_by,
        lines=lines,
        remark=order.remark,
        supply_until=order.supply_until,
    )


def _decide_lines(
    order: Order, decided: Sequence[Line], at: datetime, by: Actor, explanation: str | None = None
) -> Changed | Unchanged:
    if not decided:
        return Unchanged()
    by_number = {
        line.number: replace(line, decided_by=by, decided_as=line.outcome) for line in decided
    }
    changed = replace(
        order,
        seq=order.seq + len(decided),
        lines=tuple(by_number.get(line.number, line) for line in order.lines),
    )
    happened = tuple(
        events.line_decided(order, order.seq + step, line, at, by, explanation)
        for step, line in enumerate(decided, start=1)
    )
    return Changed(changed, happened, events.approved(changed, decided, at, by))
