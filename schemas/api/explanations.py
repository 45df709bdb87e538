"""Bodies of why an order was decided as it was, and of what happened to it."""

from pydantic import BaseModel

from schemas.base import (
    ActorId,
    LineNumber,
    Name,
    OrderId,
    Reviewer,
    Role,
    SystemName,
    Text,
    UtcDatetime,
    Version,
)
from schemas.reasons import Language, Reason
from schemas.records.orders import Outcome, Signal


class FactView(BaseModel):
    """What a rule looked at, as it was then: `label` and `value` in words."""

    name: str
    label: str
    value: str


class RuleView(BaseModel):
    """A rule that was asked: its question, whether it held, and the answer in words.

    `version` is the rule's own, None when the rules have changed since.
    """

    rule: str
    version: Version | None
    question: str
    held: bool
    answer: str
    facts: list[FactView]


class ExplainedLine(BaseModel):
    """What was decided about one line, and the rules that were asked, in their order.

    Rules that send a line to a person are asked only when no rule against it held.
    """

    line: LineNumber
    medicine: Name
    outcome: Outcome
    text: str
    reviewer: Reviewer | None
    reasons: tuple[Reason, ...]
    signals: tuple[Signal, ...]
    rules: list[RuleView]


class VersionsView(BaseModel):
    """Which rules, overview, policy and list of medicines a decision was made with; None where there was none,
    or it is not kept."""

    rules: Version | None
    overview: Version | None
    policy: Version | None
    medicines: Version | None


class DecisionView(BaseModel):
    """One decision on lines of an order, by the rules or by a person.

    `words` is what a person wrote with it. `not_kept` says in words what is not known any more of it.
    """

    at: UtcDatetime
    by: Role
    versions: VersionsView
    lines: list[ExplainedLine]
    words: Text | None
    not_kept: list[str]


class ExplanationView(BaseModel):
    """Every decision on an order, oldest first; none while it is not decided.

    A practice sees every rule that was asked; who else may see an order, those that held. It is not `complete`
    when decisions were made before they were kept: then these are those that are still known.
    """

    order_id: OrderId
    language: Language
    complete: bool
    decisions: list[DecisionView]


class NamedLine(BaseModel):
    """A line of an order, and its medicine."""

    line: LineNumber
    medicine: Name


class TimelineEntry(BaseModel):
    """One thing that happened; `text` says it in words, `details` why, `words` is what a person wrote.

    `event` is `order.placed`, or the type of the event. `by` is None where nobody is known to have done it.
    `by_id` and `through`, the outside system that it came through, are only for the practice. `lines` are those
    that it is about, none for the whole order.
    """

    at: UtcDatetime
    event: str
    by: Role | None
    by_id: ActorId | None
    through: SystemName | None
    text: str
    lines: list[NamedLine]
    details: list[str]
    words: Text | None


class TimelineView(BaseModel):
    """What happened to an order, oldest first.

    It is not `complete` when something happened before it was kept: then it has what is still known.
    """

    order_id: OrderId
    language: Language
    complete: bool
    entries: list[TimelineEntry]
