"""What ordering decides: new orders, overviews that arrive, due times, reviews, cancellations.

A decision is a function of the command, what is on record, and the time at which Kafka took the command. It
returns events; how the order stands after them follows by `order.evolve`, what they mean for its pharmacy by
`events.prescriptions`. `begun` and `carried_out` put these together.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from schemas.base import Actor, Role
from schemas.reasons import Reason, ReasonCode
from schemas.records.directory import Policy
from schemas.records.orders import (
    DecidedLine,
    OrderCancel,
    OrderDecided,
    OrderEvent,
    OrderLine,
    OrderPlace,
    OrderReview,
    OrderState,
    OrderTimer,
    Outcome,
)
from services.ordering.domain import events, rules
from services.ordering.domain.events import Prescription
from services.ordering.domain.order import Line, Order, begin
from services.ordering.domain.overview import Overview, entry_of
from services.ordering.domain.rules import Asked, Facts

SYSTEM = Actor(role=Role.SYSTEM, id="ordering")

TimerKind = Literal["overview_overdue"]

OVERDUE: TimerKind = "overview_overdue"
"""The timer of an order that waits for its patient's overview."""

_OPEN = (Outcome.APPROVED, Outcome.REVIEW, Outcome.WAITING)
"""Outcomes of lines that can still be taken back."""


class Context(Struct, frozen=True):
    """What is on record of an order's patient, pharmacy and practice when it is decided.

    `overview` is None as long as the patient's has not arrived. `policy_version` is None, and the policy
    the careful default, for a practice that is not in the directory.
    """

    overview: Overview | None
    pharmacy_known: bool
    policy: Policy
    policy_version: int | None


class Placed(Struct, frozen=True):
    """The command places an order: its first event, and timers to set."""

    event: OrderDecided
    timers: tuple[OrderTimer, ...] = ()


class Decided(Struct, frozen=True):
    """The command changes an order: its next events, and timers to cancel."""

    events: tuple[OrderEvent, ...]
    cancelled: tuple[TimerKind, ...] = ()


class Unchanged(Struct, frozen=True):
    """The command asks for what is already so."""


class Refused(Struct, frozen=True):
    """The command cannot be carried out; `code` says why."""

    code: str


Decision = Decided | Unchanged | Refused


class Change(Struct, frozen=True):
    """An order as it stands now, and what is published, timed and timed no more because of that."""

    order: Order
    events: tuple[OrderEvent, ...] = ()
    prescriptions: tuple[Prescription, ...] = ()
    timers: tuple[OrderTimer, ...] = ()
    cancelled: tuple[TimerKind, ...] = ()


def begun(command: OrderPlace, digest: str, placed: Placed) -> Change:
    """The new order of this command."""
    event = placed.event
    order = begin(command, digest, event)
    return Change(order, (event,), events.first_prescriptions(order, event), placed.timers)


def carried_out(order: Order | None, decision: Decision) -> Change | Unchanged | Refused:
    """The order after a decision on it."""
    if not isinstance(decision, Decided):
        return decision
    assert order is not None, "only an order that is there can change"
    after, prescriptions = events.follow(order, decision.events)
    return Change(after, decision.events, prescriptions, cancelled=decision.cancelled)


def place(command: OrderPlace, at: datetime, context: Context) -> Placed:
    """Decide a new order, placed at `at` (UTC)."""
    lines = tuple([_decide_line(command, line, context) for line in command.lines])
    version = context.overview.version if context.overview else None
    event = events.decided(command, at, lines, version, context.policy_version)
    if event.state is not OrderState.WAITING:
        return Placed(event)
    return Placed(event, (overdue(command, at, context.policy),))


def place_again(order: Order, command: OrderPlace, digest: str) -> Unchanged | Refused:
    """The same order once more is nothing new; another one under its id is refused."""
    if order.patient == command.patient and order.digest == digest:
        return Unchanged()
    return Refused("order_conflict")


def overview_arrived(order: Order, at: datetime, context: Context) -> Decided | Unchanged:
    """Decide the lines that waited for the patient's overview."""
    waiting = [line for line in order.lines if line.outcome is Outcome.WAITING]
    decided = [_decide_waiting(order, line, context) for line in waiting]
    by = events.policy_actor(order.practice, context.policy_version)
    return _decide_lines(order, decided, at, by)


def timer_fired(order: Order | None, timer: OrderTimer, at: datetime) -> Decided | Unchanged:
    """An overview that does not come: the practice does not know the patient."""
    if order is None or order.cancelled or timer.kind != OVERDUE:
        return Unchanged()
    unknown = (Reason(code=ReasonCode.UNKNOWN_PATIENT),)
    waiting = [line for line in order.lines if line.outcome is Outcome.WAITING]
    refused = [replace(line, outcome=Outcome.REFUSED, reasons=unknown) for line in waiting]
    return _decide_lines(order, refused, at, SYSTEM)


def review(order: Order | None, command: OrderReview, at: datetime) -> Decision:
    """A person decides a line that is in review; the same decision once more is nothing new."""
    if order is None or order.patient != command.patient:
        return Refused("unknown_order")
    line = next((line for line in order.lines if line.number == command.line), None)
    if line is not None and _is_so(line, command):
        return Unchanged()
    if line is None or order.cancelled or line.outcome is not Outcome.REVIEW:
        return Refused("not_in_review")
    quantity = command.quantity or line.quantity
    reviewed = replace(line, outcome=command.outcome, reasons=(), quantity=quantity)
    return _decide_lines(order, [reviewed], at, command.decided_by, command.explanation)


def cancel(order: Order | None, command: OrderCancel, at: datetime) -> Decision:
    """Take back every line that is still open."""
    if order is None or order.patient != command.patient:
        return Refused("unknown_order")
    if not is_open(order):
        return Unchanged()
    lines = [line.number for line in order.lines if line.outcome in _OPEN]
    event = events.cancelled(order, lines, at, command.cancelled_by, command.reason)
    return Decided((event,), cancelled=_ended(order, lines))


def is_open(order: Order) -> bool:
    """Whether a cancellation would still take something back."""
    return not order.cancelled and any(line.outcome in _OPEN for line in order.lines)


def overdue(order: OrderPlace | Order, placed_at: datetime, policy: Policy) -> OrderTimer:
    """When an order that waits for an overview is given up; times are UTC."""
    return OrderTimer(
        order_id=order.order_id,
        patient=order.patient,
        kind=OVERDUE,
        due_at=placed_at + timedelta(minutes=policy.overview_patience_minutes),
    )


def _ended(order: Order, lines: Collection[int]) -> tuple[TimerKind, ...]:
    """The timer that no longer matters once these lines of a waiting order have another outcome."""
    waiting = {line.number for line in order.lines if line.outcome is Outcome.WAITING}
    return (OVERDUE,) if waiting and waiting <= {*lines} else ()


def _is_so(line: Line, command: OrderReview) -> bool:
    """Whether this person has decided this line so already."""
    same = (line.decided_as, line.decided_by) == (command.outcome, command.decided_by)
    return same and command.quantity in (None, line.quantity)


def _decide_line(order: OrderPlace, line: OrderLine, context: Context) -> DecidedLine:
    facts = _facts(order, line, context)
    dosage = facts.entry.dosage if facts.entry else ""
    return events.decided_line(line, rules.decide(facts), dosage)


def _decide_waiting(order: Order, line: Line, context: Context) -> Line:
    facts = _facts(order, line, context)
    verdict = rules.decide(facts)
    dosage = facts.entry.dosage if facts.entry else ""
    return replace(line, outcome=verdict.outcome, reasons=verdict.reasons, dosage=dosage)


def _facts(order: OrderPlace | Order, line: Asked, context: Context) -> Facts:
    overview = context.overview
    return Facts(
        line,
        entry_of(overview, line.prk),
        order.practice,
        overview.practice if overview else None,
        context.pharmacy_known,
        context.policy,
        order.remark,
        order.supply_until,
    )


def _decide_lines(
    order: Order, decided: Sequence[Line], at: datetime, by: Actor, explanation: str | None = None
) -> Decided | Unchanged:
    """The events that give these lines of an order their outcomes."""
    if not decided:
        return Unchanged()
    happened = [
        events.line_decided(order, seq, line, at, by, explanation)
        for seq, line in enumerate(decided, start=order.seq + 1)
    ]
    return Decided(tuple(happened), cancelled=_ended(order, [n.number for n in decided]))
