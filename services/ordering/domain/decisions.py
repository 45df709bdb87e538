"""Decides commands: new orders, arrived overviews, fired timers, reviews, cancellations.

A decision is a pure function of the command, the state, and the command's append time. It returns events.
`order.evolve` computes the next state from them, `events.prescriptions` the records for the pharmacy.
`apply_placed` and `apply` combine the three into a `Change`.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from schemas.base import Actor, Role
from schemas.reasons import Reason, ReasonCode
from schemas.records.directory import Pharmacy, Policy
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
from services.ordering.domain.overview import Entry, Overview, entry_of
from services.ordering.domain.rules import Asked, Facts, Verdict

SYSTEM = Actor(role=Role.SYSTEM, id="ordering")

TimerKind = Literal["overview_overdue"]

OVERDUE: TimerKind = "overview_overdue"
"""The timer of an order that waits for its patient's overview."""

_OPEN = (Outcome.APPROVED, Outcome.REVIEW, Outcome.WAITING)
"""Outcomes of lines that can still be cancelled."""


class Context(Struct, frozen=True):
    """The overview and directory data that an order is decided with.

    `overview` is None until the patient's overview has arrived. `pharmacy` is None when it is not in the
    directory. For a practice that is not in it, `policy` is the default and `policy_version` is None.
    """

    overview: Overview | None
    pharmacy: Pharmacy | None
    policy: Policy
    policy_version: int | None


class Placed(Struct, frozen=True):
    """A new order: its first event, and the timers to set."""

    event: OrderDecided
    timers: tuple[OrderTimer, ...] = ()


class Decided(Struct, frozen=True):
    """A changed order: its next events, and the timers to cancel."""

    events: tuple[OrderEvent, ...]
    cancelled: tuple[TimerKind, ...] = ()


class Unchanged(Struct, frozen=True):
    """The command changes nothing: it repeats an earlier one, or asks for what is already so."""


class Refused(Struct, frozen=True):
    """The command cannot be carried out; `code` is the dead letter's reason."""

    code: str


Decision = Decided | Unchanged | Refused


class Change(Struct, frozen=True):
    """The next state of an order, with the records to publish and the timers to set and cancel."""

    order: Order
    events: tuple[OrderEvent, ...] = ()
    prescriptions: tuple[Prescription, ...] = ()
    timers: tuple[OrderTimer, ...] = ()
    cancelled: tuple[TimerKind, ...] = ()


def apply_placed(command: OrderPlace, digest: str, placed: Placed) -> Change:
    """Create the order that this command places."""
    event = placed.event
    order = begin(command, digest, event)
    return Change(order, (event,), events.first_prescriptions(order, event), placed.timers)


def apply(order: Order | None, decision: Decision) -> Change | Unchanged | Refused:
    """Evolve the order by a decision on it; only a `Decided` changes it."""
    if not isinstance(decision, Decided):
        return decision
    assert order is not None, "only an existing order is changed"
    after, prescriptions = events.follow(order, decision.events)
    return Change(after, decision.events, prescriptions, cancelled=decision.cancelled)


def place(
    command: OrderPlace, at: datetime, context: Context, through: str | None = None
) -> Placed:
    """Decide a new order; `at` (UTC) is the command's append time.

    `through` is the outside system that it came through, here and for a cancellation.
    """
    lines = tuple([_decide_line(command, line, at, context) for line in command.lines])
    version = context.overview.version if context.overview else None
    event = events.decided(command, at, lines, version, context.policy_version, through)
    if event.state is not OrderState.WAITING:
        return Placed(event)
    return Placed(event, (overdue(command, at, context.policy),))


def place_again(order: Order, command: OrderPlace, digest: str) -> Unchanged | Refused:
    """Compare a command with the order that has its id: a repeat changes nothing, another order is refused."""
    if order.patient == command.patient and order.digest == digest:
        return Unchanged()
    return Refused("order_conflict")


def overview_arrived(order: Order, at: datetime, context: Context) -> Decided | Unchanged:
    """Decide the lines that waited for the patient's overview."""
    waiting = [line for line in order.lines if line.outcome is Outcome.WAITING]
    decided = [_decide_waiting(order, line, at, context) for line in waiting]
    by = events.policy_actor(order.practice, context.policy_version)
    return _decide_lines(order, decided, at, by)


def timer_fired(order: Order | None, timer: OrderTimer, at: datetime) -> Decided | Unchanged:
    """Refuse the lines that still wait: without an overview, the patient is unknown to the practice."""
    if order is None or order.cancelled or timer.kind != OVERDUE:
        return Unchanged()
    unknown = (Reason(code=ReasonCode.UNKNOWN_PATIENT),)
    waiting = [line for line in order.lines if line.outcome is Outcome.WAITING]
    refused = [replace(line, outcome=Outcome.REFUSED, reasons=unknown) for line in waiting]
    return _decide_lines(order, refused, at, SYSTEM)


def review(
    order: Order | None, command: OrderReview, at: datetime, context: Context | None
) -> Decision:
    """Decide a line in review as a person did; a repeated decision changes nothing.

    An approval is decided on the overview of this moment: the medicine may have been stopped meanwhile.
    `context` is None only without an order.
    """
    if order is None or order.patient != command.patient:
        return Refused("unknown_order")
    line = next((line for line in order.lines if line.number == command.line), None)
    if line is not None and is_repeat(line, command):
        return Unchanged()
    if line is None or order.cancelled or line.outcome is not Outcome.REVIEW:
        return Refused("not_in_review")
    assert context is not None, "an order has a context"
    approves = command.outcome is Outcome.APPROVED
    if approves and context.overview is None:
        # Its topic is being read again, or it was removed: the line stays in review.
        return Refused("no_overview")
    facts = _facts(order, line, at, context)
    overruled = rules.refusal(facts) if approves else None
    verdict = overruled or Verdict(command.outcome, ())
    quantity = command.quantity or line.quantity
    event = events.line_decided(
        order,
        order.seq + 1,
        replace(_as_listed(line, facts.entry, verdict), quantity=quantity),
        at,
        command.decided_by,
        explanation=None if overruled else command.explanation,
        reviewed_as=command.outcome if overruled else None,
    )
    return Decided((event,))


def cancel(
    order: Order | None, command: OrderCancel, at: datetime, through: str | None = None
) -> Decision:
    """Cancel every line that is still open."""
    if order is None or order.patient != command.patient:
        return Refused("unknown_order")
    if not is_open(order):
        return Unchanged()
    lines = [line.number for line in order.lines if line.outcome in _OPEN]
    event = events.cancelled(order, lines, at, command, through)
    return Decided((event,), cancelled=_timers_to_cancel(order, lines))


def is_open(order: Order) -> bool:
    """Tell whether a cancellation would still cancel a line."""
    return not order.cancelled and any(line.outcome in _OPEN for line in order.lines)


def overdue(order: OrderPlace | Order, placed_at: datetime, policy: Policy) -> OrderTimer:
    """The timer after which an order stops waiting for its overview; times are UTC."""
    return OrderTimer(
        order_id=order.order_id,
        patient=order.patient,
        kind=OVERDUE,
        due_at=placed_at + timedelta(minutes=policy.overview_patience_minutes),
    )


def _timers_to_cancel(order: Order, decided: Collection[int]) -> tuple[TimerKind, ...]:
    """The overdue timer, if no line waits any more once these lines are decided."""
    waiting = {line.number for line in order.lines if line.outcome is Outcome.WAITING}
    return (OVERDUE,) if waiting and waiting <= {*decided} else ()


def is_repeat(line: Line, command: OrderReview) -> bool:
    """Tell whether the same person has already decided this line in the same way."""
    same = (line.decided_as, line.decided_by) == (command.outcome, command.decided_by)
    return same and command.quantity in (None, line.quantity)


def _decide_line(order: OrderPlace, line: OrderLine, at: datetime, context: Context) -> DecidedLine:
    facts = _facts(order, line, at, context)
    return events.decided_line(line, rules.decide(facts), facts.entry)


def _decide_waiting(order: Order, line: Line, at: datetime, context: Context) -> Line:
    facts = _facts(order, line, at, context)
    return _as_listed(line, facts.entry, rules.decide(facts))


def _as_listed(line: Line, entry: Entry | None, verdict: Verdict) -> Line:
    """The line as decided now, in the words of the overview's entry; without one it keeps its own."""
    decided = replace(line, outcome=verdict.outcome, reasons=verdict.reasons)
    if entry is None:
        return decided
    # A line with a unit was listed before: its name is the overview's, and `ordered_as` the order's, if any.
    ordered = line.ordered_as if line.unit else line.medicine
    return replace(
        decided,
        medicine=entry.medicine,
        dosage=entry.dosage,
        unit=entry.unit,
        ordered_as=events.ordered_as(ordered, entry) if ordered else None,
    )


def _facts(order: OrderPlace | Order, line: Asked, at: datetime, context: Context) -> Facts:
    overview = context.overview
    same = [other.quantity for other in order.lines if other.prk == line.prk]
    return Facts(
        line,
        entry_of(overview, line.prk),
        order.practice,
        overview.practice if overview else None,
        context.pharmacy,
        context.policy,
        at,
        sum(same, Decimal()),
        len(same),
        order.remark,
        order.supply_until,
    )


def _decide_lines(
    order: Order, decided: Sequence[Line], at: datetime, by: Actor
) -> Decided | Unchanged:
    """Make an event for each line; `decided` has the lines with their new outcomes."""
    if not decided:
        return Unchanged()
    new_events = [
        events.line_decided(order, seq, line, at, by)
        for seq, line in enumerate(decided, start=order.seq + 1)
    ]
    return Decided(
        tuple(new_events), cancelled=_timers_to_cancel(order, [n.number for n in decided])
    )
