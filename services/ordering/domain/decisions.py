"""Decides commands: new orders, arrived overviews, fired timers, reviews, cancellations.

A decision is a pure function of the command, the state, and the command's append time. It returns events.
`order.evolve` computes the next state from them, `events.prescriptions` the records for the pharmacy.
`apply_placed` and `apply` combine the three into a `Change`.
"""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Literal

from msgspec import Struct
from msgspec.structs import replace

from schemas.base import Actor, Reviewer, Role
from schemas.reasons import Reason, ReasonCode
from schemas.records.directory import Policy
from schemas.records.orders import (
    OrderCancel,
    OrderDecided,
    OrderEvent,
    OrderPlace,
    OrderReview,
    OrderState,
    OrderTimer,
    Outcome,
    StatusSignal,
)
from services.ordering.domain import events, rules
from services.ordering.domain.events import Prescription
from services.ordering.domain.facts import Facts, facts_of
from services.ordering.domain.knowledge import Context, Known, gather, with_held
from services.ordering.domain.order import OPEN, Line, Order, begin
from services.ordering.domain.overview import Entry
from services.ordering.domain.rules import Verdict
from services.ordering.domain.signals import signal_of

SYSTEM = Actor(role=Role.SYSTEM, id="ordering")

TimerKind = Literal["overview_overdue"]

OVERDUE: TimerKind = "overview_overdue"
"""The timer of an order that waits for its patient's overview."""

_UNKNOWN: Mapping[str, Any] = {
    "outcome": Outcome.REVIEW,
    "reasons": (Reason(code=ReasonCode.UNKNOWN_PATIENT),),
    "reviewer": Reviewer.ASSISTANT,
}
"""What becomes of a line whose overview did not come in time."""


class Placed(Struct, frozen=True):
    """A new order: its first event, what was known for it, and the timers to set."""

    event: OrderDecided
    known: Known
    timers: tuple[OrderTimer, ...] = ()


class Decided(Struct, frozen=True):
    """A changed order: its next events, the timers to cancel, and what was known, where the rules were
    asked."""

    events: tuple[OrderEvent, ...]
    cancelled: tuple[TimerKind, ...] = ()
    known: Known | None = None


class Unchanged(Struct, frozen=True):
    """The command changes nothing: it repeats an earlier one, or asks for what is already so."""


class Refused(Struct, frozen=True):
    """The command cannot be carried out; `code` is the dead letter's reason."""

    code: str


Decision = Decided | Unchanged | Refused


class Change(Struct, frozen=True):
    """The next state of an order, with the records to publish and the timers to set and cancel.

    `known` is what the rules read for these events; None where they were not asked. `recovered` are events from
    before them that were published before a restore: nobody knows any more what was known for those.
    """

    order: Order
    events: tuple[OrderEvent, ...] = ()
    prescriptions: tuple[Prescription, ...] = ()
    timers: tuple[OrderTimer, ...] = ()
    cancelled: tuple[TimerKind, ...] = ()
    known: Known | None = None
    recovered: tuple[OrderEvent, ...] = ()


def apply_placed(command: OrderPlace, digest: str, placed: Placed) -> Change:
    """Create the order that this command places."""
    event = placed.event
    order = begin(command, digest, event)
    issued = events.first_prescriptions(order, event)
    return Change(order, (event,), issued, placed.timers, known=placed.known)


def apply(order: Order | None, decision: Decision) -> Change | Unchanged | Refused:
    """Evolve the order by a decision on it; only a `Decided` changes it."""
    if not isinstance(decision, Decided):
        return decision
    assert order is not None, "only an existing order is changed"
    after, prescriptions = events.follow(order, decision.events)
    return Change(
        after, decision.events, prescriptions, cancelled=decision.cancelled, known=decision.known
    )


def place(
    command: OrderPlace, at: datetime, context: Context, through: str | None = None
) -> Placed:
    """Decide a new order; `at` (UTC) is the command's append time.

    `through` is the outside system that it came through, here and for a cancellation.
    """
    known = gather(command.lines, command.order_id, context, at)
    facts = [*facts_of(command, at, known, context.policy)]
    verdicts = [rules.decide(each) for each in facts]
    lines = [
        events.decided_line(*each) for each in zip(command.lines, verdicts, facts, strict=True)
    ]
    known = with_held(known, {n: verdict.held for n, verdict in enumerate(verdicts)})
    event = events.decided(command, tuple(lines), known, through)
    if event.state is not OrderState.WAITING:
        return Placed(event, known)
    return Placed(event, known, (overdue(command, at, context.policy),))


def place_again(order: Order, command: OrderPlace, digest: str) -> Unchanged | Refused:
    """Compare a command with the order that has its id: a repeat changes nothing, another order is refused."""
    if order.patient == command.patient and order.digest == digest:
        return Unchanged()
    return Refused("order_conflict")


def overview_arrived(order: Order, at: datetime, context: Context) -> Decided | Unchanged:
    """Decide the lines that waited for the patient's overview, and look at those that are under way.

    A line that went to a person only because no overview came is decided after all.
    """
    known = gather(order.lines, order.order_id, context, at)
    by = events.policy_actor(order.practice, context.policy_version)
    made: list[OrderEvent] = []
    held: dict[int, tuple[str, ...]] = {}
    for place, (line, facts) in enumerate(_with_facts(order, known, context.policy)):
        seq = order.seq + len(made) + 1
        if waits_for_overview(line):
            verdict = rules.decide(facts)
            held[place] = verdict.held
            decided = _as_listed(line, facts, verdict)
            made.append(events.line_decided(order, seq, decided, at, by, asked=True))
        elif (signal := signal_of(line, facts)) is not None:
            made.append(_status_changed(order, seq, line, facts, signal))
    if not made:
        return Unchanged()
    decided_now = [order.lines[place].number for place in held]
    return Decided(tuple(made), _timers_to_cancel(order, decided_now), with_held(known, held))


def waits_for_overview(line: Line) -> bool:
    """Tell whether a line is decided when the overview comes: it waits, or has waited in vain."""
    in_vain = any(reason.code is ReasonCode.UNKNOWN_PATIENT for reason in line.reasons)
    return line.outcome is Outcome.WAITING or (line.outcome is Outcome.REVIEW and in_vain)


def timer_fired(order: Order | None, timer: OrderTimer, at: datetime) -> Decided | Unchanged:
    """Give the lines that still wait to a person: a missing overview is no reason to refuse."""
    if order is None or order.cancelled or timer.kind != OVERDUE:
        return Unchanged()
    waiting = [line for line in order.lines if line.outcome is Outcome.WAITING]
    made = [
        events.line_decided(order, seq, replace(line, **_UNKNOWN), at, SYSTEM)
        for seq, line in enumerate(waiting, start=order.seq + 1)
    ]
    if not made:
        return Unchanged()
    return Decided(tuple(made), _timers_to_cancel(order, [line.number for line in waiting]))


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
    if line is None or order.cancelled or not to_be_decided(line):
        return Refused("not_in_review")
    assert context is not None, "an order has a context"
    approves = command.outcome is Outcome.APPROVED
    if approves and context.overview is None:
        # Its topic is being read again, or it was removed: the line stays in review.
        return Refused("no_overview")
    known = gather(order.lines, order.order_id, context, at)
    facts = next(f for n, f in _with_facts(order, known, context.policy) if n is line)
    # Who keeps an approved line has seen that its medicine was stopped.
    overruled = rules.refusal(facts) if approves and line.outcome is Outcome.REVIEW else None
    event = events.line_decided(
        order,
        order.seq + 1,
        _as_reviewed(line, command, facts, overruled),
        at,
        command.decided_by,
        explanation=None if overruled else command.explanation,
        reviewed_as=command.outcome if overruled else None,
    )
    return Decided((event,), known=known)


def _as_reviewed(line: Line, command: OrderReview, facts: Facts, overruled: Verdict | None) -> Line:
    """The line as a person decides it now; an approved line that is kept stays as it was sent."""
    if line.outcome is command.outcome:
        return replace(line, signal=None)
    listed = _as_listed(line, facts, overruled or Verdict(command.outcome, ()))
    return replace(listed, quantity=command.quantity or listed.quantity)


def to_be_decided(line: Line) -> bool:
    """Tell whether a person can decide a line: it is in review, or approved and its medicine was stopped
    since."""
    return line.outcome is Outcome.REVIEW or line.signal is not None


def cancel(
    order: Order | None, command: OrderCancel, at: datetime, through: str | None = None
) -> Decision:
    """Cancel every line that is still open."""
    if order is None or order.patient != command.patient:
        return Refused("unknown_order")
    if not is_open(order):
        return Unchanged()
    lines = [line.number for line in order.lines if line.outcome in OPEN]
    event = events.cancelled(order, lines, at, command, through)
    return Decided((event,), cancelled=_timers_to_cancel(order, lines))


def is_open(order: Order) -> bool:
    """Tell whether a cancellation would still cancel a line."""
    return not order.cancelled and any(line.outcome in OPEN for line in order.lines)


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
    """Tell whether the same person has already decided this line so, and nothing happened since."""
    if line.signal is not None:
        return False
    same = (line.decided_as, line.decided_by) == (command.outcome, command.decided_by)
    return same and command.quantity in (None, line.quantity)


def _with_facts(order: Order, known: Known, policy: Policy) -> Iterator[tuple[Line, Facts]]:
    return zip(order.lines, facts_of(order, order.placed_at, known, policy), strict=True)


def _status_changed(
    order: Order, seq: int, line: Line, facts: Facts, signal: StatusSignal
) -> OrderEvent:
    """Withdraw an approved line, or tell the reviewer, when its medicine is not to be repeated any more."""
    overruled = rules.refusal(facts)
    withdraws = facts.policy.withdraw_when_stopped and signal is not StatusSignal.REMOVED
    if not withdraws or overruled is None:
        return events.line_signalled(order, seq, line, signal, facts.known)
    by = events.policy_actor(order.practice, facts.known.policy_version)
    withdrawn = _as_listed(line, facts, overruled)
    return events.line_decided(order, seq, withdrawn, facts.known.at, by, asked=True)


def _as_listed(line: Line, facts: Facts, verdict: Verdict) -> Line:
    """The line as decided now, in the words of the overview's entry; without one it keeps its own."""
    entry = facts.entry
    decided = replace(
        line,
        outcome=verdict.outcome,
        reasons=verdict.reasons,
        reviewer=verdict.reviewer,
        signals=verdict.signals,
        quantity=events.quantity_of(line, entry),
        sent_by_practice=events.is_sent_by_practice(verdict, facts),
        signal=None,
    )
    return _in_its_words(decided, entry) if entry else decided


def _in_its_words(line: Line, entry: Entry) -> Line:
    # A line with a unit was listed before: its name is the overview's, and `ordered_as` the order's, if any.
    ordered = line.ordered_as if line.unit else line.medicine
    return replace(
        line,
        medicine=entry.medicine,
        dosage=entry.dosage,
        unit=entry.unit,
        ordered_as=events.ordered_as(ordered, entry) if ordered else None,
    )
