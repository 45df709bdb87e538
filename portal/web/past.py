"""What happened to an order, and why it was decided so, as pages of several rooms show it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from schemas.api.explanations import ExplainedLine, ExplanationView, RuleView, TimelineView
from schemas.base import Role
from schemas.records.orders import Outcome

IN_DUTCH = frozenset({"dosage", "listed", "ordered_name"})
"""Facts whose values the practice's system says, in Dutch whatever the page's language."""


@dataclass(frozen=True)
class Why:
    """One decision about a line, with the rules that held, and those that did not as far as they are told.

    `plain` if the rules approved it, and had nothing against it.
    """

    at: datetime
    text: str
    held: Sequence[RuleView]
    others: Sequence[RuleView]
    not_kept: Sequence[str]
    plain: bool


def whys_of(explanation: ExplanationView, line: int) -> Sequence[Why]:
    """Every decision about a line of an order, oldest first."""
    return [*_whys(explanation, line)]


def _whys(explanation: ExplanationView, number: int) -> Iterator[Why]:
    for decision in explanation.decisions:
        for line in decision.lines:
            if line.line == number:
                held = [rule for rule in line.rules if rule.held]
                yield Why(
                    decision.at,
                    line.text,
                    held,
                    [rule for rule in line.rules if not rule.held],
                    decision.not_kept,
                    decision.by is Role.POLICY and _is_plain(line, held),
                )


def _is_plain(line: ExplainedLine, held: Sequence[RuleView]) -> bool:
    return line.outcome is Outcome.APPROVED and not held


@dataclass(frozen=True)
class Happened:
    """One thing that happened; `medicines` are those that it is about, if it is not about the whole order."""

    at: datetime
    text: str
    medicines: Sequence[str]
    details: Sequence[str]
    words: str | None


def happened(timeline: TimelineView, lines: int) -> Sequence[Happened]:
    """What happened to an order of so many lines, newest first."""
    return [
        Happened(
            each.at,
            each.text,
            [line.medicine for line in each.lines] if len(each.lines) < lines else (),
            each.details,
            each.words,
        )
        for each in reversed(timeline.entries)
    ]
