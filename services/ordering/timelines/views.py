"""An order's past as a timeline, in words."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from msgspec import Struct

from schemas.api.explanations import NamedLine, TimelineEntry, TimelineView
from schemas.base import Actor, PlacedBy, Reviewer
from services.ordering.domain.journal import Note, NotedLine
from services.ordering.domain.past import CANCELLED, DECIDED, Past, Step, steps
from services.ordering.explanations import telling
from services.ordering.explanations.asked import held
from services.ordering.explanations.reader import Reader
from services.ordering.explanations.texts import RULES
from services.ordering.intake import Received
from services.ordering.timelines import texts

PLACED = "order.placed"
RECEIVED = "order.received"
SIGNALLED = "order.line-signalled"


class _Told(Struct, frozen=True):
    """What is told of a line, or of the whole order."""

    text: str
    details: tuple[str, ...] = ()


def timeline(past: Past, reader: Reader) -> TimelineView:
    """Tell what happened to an order, oldest first."""
    entries = [entry for step in steps(past) for entry in _Telling(past, step, reader).of_step()]
    order_id, language = past.order.order_id, reader.language
    return TimelineView(
        order_id=order_id, language=language, complete=past.complete, entries=entries
    )


def received(order: Received, reader: Reader) -> TimelineView:
    """Tell of an order that is not decided yet."""
    text = texts.RECEIVED[reader.language]
    entry = _entry(order.received_at, RECEIVED, text)
    return TimelineView(
        order_id=order.order_id, language=reader.language, complete=True, entries=[entry]
    )


class _Telling(Struct, frozen=True):
    """Tells of one step."""

    past: Past
    step: Step
    reader: Reader

    def of_step(self) -> Iterator[TimelineEntry]:
        """What the step is in the timeline; the first decision comes after that the order was placed."""
        if self.step.first.type == DECIDED:
            yield self._placed()
        if self.step.first.type == CANCELLED:
            yield self._of_lines(self._cancelled(), (), self.step.first)
            return
        told: dict[tuple[_Told, str | None], list[tuple[Note, NotedLine]]] = {}
        for note, line in self.step.lines:
            if self._is_internal(note, line):
                continue
            told.setdefault((self._of_line(note, line), note.words), []).append((note, line))
        for (each, _), group in told.items():
            yield self._of_lines(each, [line for _, line in group], group[0][0])

    def _is_internal(self, note: Note, line: NotedLine) -> bool:
        """Tell whether something is only for the practice: what it is to look at again, and that nothing came
        of that."""
        return not self.reader.of_practice and (note.type == SIGNALLED or self.step.keeps(line))

    def _placed(self) -> TimelineEntry:
        order, language = self.past.order, self.reader.language
        who = telling.WHO[order.placed_by.role][language]
        text = texts.PLACED[language].format(who=who)
        through = self.step.first.through
        entry = _entry(order.placed_at, PLACED, text)
        return self._by(entry, order.placed_by, through)

    def _of_line(self, note: Note, line: NotedLine) -> _Told:
        language = self.reader.language
        match note.type:
            case "order.decided" | "order.line-decided":
                before = self.step.before.get(line.line)
                text = telling.decided(note, line, before, language)
                return _Told(text, self._details(line))
            case "order.line-signalled":
                return _Told(texts.SIGNALS[line.status or ""][language])
            case "order.escalated":
                return _Told(self._escalated(line.reviewer))
            case _:
                return _Told(texts.REPORTS[line.status or ""][language])

    def _escalated(self, reviewer: Reviewer | None) -> str:
        language = self.reader.language
        return f"{texts.TOO_LONG[language]} {telling.passed_on(reviewer, language)}"

    def _details(self, line: NotedLine) -> tuple[str, ...]:
        """Why the rules decided so, and what somebody should know of the line."""
        language = self.reader.language
        signals = [telling.SIGNALS[signal][language] for signal in line.signals]
        if not self.step.by_rules and line.reviewed_as is None:
            return tuple(signals)
        numbers = [each.number for each in self.past.order.lines]
        names = held(self.step, line, numbers.index(line.line))
        return (*[RULES[name].yes[language] for name in names], *signals)

    def _cancelled(self) -> _Told:
        by, language = self.step.first.by, self.reader.language
        if by is None:
            return _Told(texts.CANCELLED_BY_NOBODY[language])
        who = telling.WHO[by.role][language]
        return _Told(texts.CANCELLED[language].format(who=who))

    def _of_lines(self, told: _Told, lines: Sequence[NotedLine], note: Note) -> TimelineEntry:
        names = {line.number: line.medicine for line in self.past.order.lines}
        entry = _entry(
            note.at,
            note.type,
            told.text,
            [NamedLine(line=line.line, medicine=names[line.line]) for line in lines],
            told.details,
            note.words,
        )
        return self._by(entry, note.by, note.through if note.type == CANCELLED else None)

    def _by(
        self, entry: TimelineEntry, by: Actor | PlacedBy | None, through: str | None
    ) -> TimelineEntry:
        """Say who did it; who they are, and through which system, is for the practice."""
        internal = self.reader.of_practice
        return entry.model_copy(
            update={
                "by": by.role if by else None,
                "by_id": by.id if by and internal else None,
                "through": through if internal else None,
            }
        )


def _entry(
    at: datetime,
    event: str,
    text: str,
    lines: Sequence[NamedLine] = (),
    details: Sequence[str] = (),
    words: str | None = None,
) -> TimelineEntry:
    return TimelineEntry(
        at=at,
        event=event,
        by=None,
        by_id=None,
        through=None,
        text=text,
        lines=[*lines],
        details=[*details],
        words=words,
    )
