"""Which rules were asked for a line, and which of them held then."""

from collections.abc import Sequence

from msgspec import Struct

from schemas.records.orders import Outcome
from services.ordering.domain import rules
from services.ordering.domain.journal import Note, NotedLine
from services.ordering.domain.past import Step
from services.ordering.domain.rules import Rule


class AskedRule(Struct, frozen=True):
    """A rule that was asked, and whether it held; `version` is None when the rules have changed since."""

    name: str
    version: int | None
    held: bool


_OVERRULING = tuple([rule for rule in rules.REFUSALS if rule.overrules])


def asked(step: Step, note: Note, line: NotedLine, place: int) -> Sequence[AskedRule]:
    """The rules that were asked for a line, in their order; `place` is the line's in its order, from 0.

    Of rules that have changed since, or that overruled a person, only those that held are known.
    """
    found = held(step, line, place)
    if note.rules != rules.VERSION:
        return [AskedRule(name, None, held=True) for name in found]
    table = _table(step, line, found)
    return [AskedRule(rule.name, rule.version, rule.name in found) for rule in table]


def _table(step: Step, line: NotedLine, found: Sequence[str]) -> Sequence[Rule]:
    """The rules that a decision asks."""
    if step.before.get(line.line) is Outcome.APPROVED:
        return _OVERRULING
    refused = any(rule.name in found for rule in rules.REFUSALS)
    return rules.REFUSALS if refused else rules.RULES


def held(step: Step, line: NotedLine, place: int) -> Sequence[str]:
    """The names of the rules that held for a line: as kept, else those of its reasons."""
    kept = step.known.lines[place].held if step.known else ()
    codes = {reason.code for reason in line.reasons}
    table = rules.REVIEWS if line.outcome is Outcome.REVIEW else rules.REFUSALS
    return kept or [rule.name for rule in table if rule.code in codes]
