"""What happened to an order, note by note: for its timeline, its explanation, and trials of a policy.

A note is made of each event, with what the rules read for it. Notes of a recovered order lack that.
"""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import assert_never

from msgspec import Struct

from schemas.base import Actor, Reviewer
from schemas.reasons import Reason
from schemas.records.orders import (
    DecidedLine,
    OrderCancelled,
    OrderDecided,
    OrderEscalated,
    OrderEvent,
    OrderFulfilment,
    OrderLineDecided,
    OrderLineSignalled,
    Outcome,
    Signal,
)
from services.ordering.domain.decisions import Change
from services.ordering.domain.events import policy_actor
from services.ordering.domain.knowledge import Known


class NotedLine(Struct, frozen=True, omit_defaults=True):
    """What an event says of one line. `status` is the signal or the pharmacy's report, as the event has it.

    `quantity` and `ordered_as` are those that were decided on, which a person may change later.
    """

    line: int
    outcome: Outcome | None = None
    reasons: tuple[Reason, ...] = ()
    reviewer: Reviewer | None = None
    signals: tuple[Signal, ...] = ()
    status: str | None = None
    reviewed_as: Outcome | None = None
    quantity: Decimal | None = None
    ordered_as: str | None = None


class Note(Struct, frozen=True, omit_defaults=True):
    """One event: what it was (`type`, without version), when (UTC), by whom, and of which lines.

    `by` is None for what follows from a pharmacy's report or from an overview. `rules` is the version of the
    rules that decided. `known` is what they read, None where they were not asked or where that is not known any
    more.
    """

    seq: int
    type: str
    at: datetime
    lines: tuple[NotedLine, ...]
    by: Actor | None = None
    rules: int | None = None
    words: str | None = None
    through: str | None = None
    known: Known | None = None


def notes(change: Change) -> Iterator[Note]:
    """The notes of the events of a change; what was known is kept with the first, for all of them.

    Before them those of events that were recovered.
    """
    yield from map(note_of, change.recovered)
    for number, event in enumerate(change.events):
        yield note_of(event, change.known if number == 0 else None)


def note_of(event: OrderEvent, known: Known | None = None) -> Note:
    """The note of one event."""
    match event:
        case OrderDecided():
            return Note(
                event.seq,
                "order.decided",
                event.decided_at,
                tuple([_line(line) for line in event.lines]),
                policy_actor(event.practice, event.policy_version),
                event.rules,
                through=event.through,
                known=known,
            )
        case OrderLineDecided():
            return Note(
                event.seq,
                "order.line-decided",
                event.decided_at,
                (_line(event),),
                event.decided_by,
                event.rules,
                event.explanation,
                known=known,
            )
        case OrderLineSignalled():
            line = NotedLine(event.line, status=event.signal)
            return Note(event.seq, "order.line-signalled", event.signalled_at, (line,), known=known)
        case OrderCancelled():
            cancelled = [NotedLine(line, Outcome.CANCELLED) for line in event.lines]
            return Note(
                event.seq,
                "order.cancelled",
                event.cancelled_at,
                tuple(cancelled),
                event.cancelled_by,
                words=event.reason,
                through=event.through,
            )
        case OrderEscalated():
            line = NotedLine(event.line, reviewer=Reviewer(event.to_role))
            return Note(event.seq, "order.escalated", event.escalated_at, (line,))
        case OrderFulfilment():
            line = NotedLine(event.line, status=event.status)
            return Note(event.seq, "order.fulfilment", event.at, (line,), words=event.reason)
        case _:
            assert_never(event)


def _line(decided: DecidedLine | OrderLineDecided) -> NotedLine:
    return NotedLine(
        decided.line,
        decided.outcome,
        decided.reasons,
        decided.reviewer,
        decided.signals,
        reviewed_as=decided.reviewed_as if isinstance(decided, OrderLineDecided) else None,
        quantity=decided.quantity,
        ordered_as=decided.ordered_as,
    )
