"""An order's past: the notes of its journal, and where that lacks some, what the order's state still says.

A journal lacks what happened before it was kept, or before a restore.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import TypeAlias

from msgspec import Struct

from schemas.base import Role
from schemas.records.orders import Outcome
from services.ordering.domain.journal import Note, NotedLine
from services.ordering.domain.knowledge import Known
from services.ordering.domain.order import Line, Order

DECIDED = "order.decided"
LINE_DECIDED = "order.line-decided"
CANCELLED = "order.cancelled"

Before: TypeAlias = Mapping[int, Outcome]
"""The outcome of each line before something happened, by line number; empty before the first decision."""


class Past(Struct, frozen=True):
    """An order with its notes, oldest first; `complete` if there is one of every event."""

    order: Order
    notes: tuple[Note, ...]
    complete: bool


class Step(Struct, frozen=True):
    """What happened at one moment, by one cause: one note, or the lines that an overview decided together.

    `known` is what the rules read; None where they were not asked, or where that is not kept any more.
    """

    notes: tuple[Note, ...]
    before: Before
    known: Known | None

    @property
    def first(self) -> Note:
        """The first note, which says when and by whom."""
        return self.notes[0]

    @property
    def lines(self) -> Sequence[tuple[Note, NotedLine]]:
        """The lines with their notes."""
        return [(note, line) for note in self.notes for line in note.lines]

    def keeps(self, line: NotedLine) -> bool:
        """Tell whether an approved line is approved once more, after its medicine was stopped."""
        return self.before.get(line.line) is line.outcome is Outcome.APPROVED

    @property
    def by_rules(self) -> bool:
        """Whether the rules decided, and not a person or a timer."""
        by = self.first.by
        return self.first.type == DECIDED or (by is not None and by.role is Role.POLICY)


def past_of(order: Order, notes: Sequence[Note]) -> Past:
    """The past of an order, by its journal."""
    complete = [note.seq for note in notes] == [*range(1, order.seq + 1)]
    if complete:
        return Past(order, tuple(notes), complete)
    found = [*_not_noted(order, notes), *notes]
    return Past(order, tuple(sorted(found, key=lambda note: (note.at, note.seq))), complete)


def steps(past: Past) -> Iterator[Step]:
    """What happened, step by step, oldest first."""
    before: dict[int, Outcome] = {}
    known: Known | None = None
    for _, group in groupby(past.notes, key=_cause):
        notes = tuple(group)
        known = next((note.known for note in notes if note.known is not None), known)
        read = known if known is not None and known.at == notes[0].at else None
        yield Step(notes, dict(before), read)
        before |= {n.line: n.outcome for note in notes for n in note.lines if n.outcome is not None}


def _cause(note: Note) -> tuple[object, ...]:
    return note.type, note.at, note.by, note.words


def _not_noted(order: Order, notes: Sequence[Note]) -> Iterator[Note]:
    """What the state says of events that the journal lacks; the first decision of a line is known only of one
    that is not decided again or cancelled."""
    if all(note.type != DECIDED for note in notes):
        lines = [_noted(line) for line in order.lines if _is_first_decision(line)]
        yield Note(1, DECIDED, order.placed_at, tuple(lines))
    told = {(note.at, line.line) for note in notes for line in note.lines}
    for line in order.lines:
        if line.decided_at is not None and (line.decided_at, line.number) not in told:
            yield _later_decision(line)
    if order.cancelled_at is not None and all(note.type != CANCELLED for note in notes):
        cancelled = [line for line in order.lines if line.outcome is Outcome.CANCELLED]
        yield Note(
            order.seq,
            CANCELLED,
            order.cancelled_at,
            tuple([NotedLine(line.number, Outcome.CANCELLED) for line in cancelled]),
            order.cancelled_by,
            words=order.cancel_reason,
        )


def _is_first_decision(line: Line) -> bool:
    return line.decided_at is None and line.outcome is not Outcome.CANCELLED


def _noted(line: Line) -> NotedLine:
    return NotedLine(line.number, line.outcome, line.reasons, line.reviewer, line.signals)


def _later_decision(line: Line) -> Note:
    assert line.decided_at is not None, "only a line that was decided later"
    was = line.decided_as if line.outcome is Outcome.CANCELLED else line.outcome
    noted = NotedLine(line.number, was, line.reasons, line.reviewer, line.signals)
    return Note(2, LINE_DECIDED, line.decided_at, (noted,), line.decided_by, words=line.explanation)
