"""Another policy, tried on a practice's past orders: what each line was decided, and what it would be.

Each order is judged as it stood when the rules decided it: by what they read then, which is kept with it. What
would have followed is not simulated: a line that the other policy refuses still counts for the orders after it.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import TypeAlias
from uuid import UUID

from msgspec import Struct

from schemas.api.policies import WhyNotJudged
from schemas.base import Reviewer
from schemas.reasons import ReasonCode
from schemas.records.directory import Policy
from schemas.records.orders import Outcome
from services.ordering.domain import rules
from services.ordering.domain.facts import facts_of
from services.ordering.domain.knowledge import Known
from services.ordering.domain.rules import Verdict


class Because(Struct, frozen=True, gc=False):
    """The code of a reason."""

    code: ReasonCode


class SaidLine(Struct, frozen=True):
    """What a note says of a line: the part of `journal.NotedLine` that a trial reads."""

    line: int
    outcome: Outcome | None = None
    reasons: tuple[Because, ...] = ()
    reviewer: Reviewer | None = None
    quantity: Decimal | None = None
    ordered_as: str | None = None


class PastNote(Struct, frozen=True):
    """What happened to an order: the part of `journal.Note` that a trial reads."""

    at: datetime
    lines: tuple[SaidLine, ...]
    rules: int | None = None
    known: Known | None = None


class PastLine(Struct, frozen=True):
    """A line of an order: the part of `order.Line` that a trial reads."""

    number: int
    prk: str
    medicine: str


class PastOrder(Struct, frozen=True):
    """An order: the part of `order.Order` that a trial reads. `placed_at` is UTC."""

    order_id: UUID
    patient: str
    practice: str
    placed_at: datetime
    lines: tuple[PastLine, ...]
    remark: str | None = None
    supply_until: date | None = None


class Answer(Struct, frozen=True):
    """An outcome, with the codes of its reasons and who is to decide it if it is in review."""

    outcome: Outcome
    reasons: tuple[ReasonCode, ...]
    reviewer: Reviewer | None


class Judged(Struct, frozen=True):
    """What a line was decided, and what the tried policy would have decided.

    `policy_version` is that of the policy that decided, None for the default one.
    """

    order: PastOrder
    line: PastLine
    decided: Answer
    tried: Answer
    policy_version: int | None


class NotJudged(Struct, frozen=True):
    """A line that is not decided again."""

    why: WhyNotJudged


class _Asked(Struct, frozen=True):
    """What a line asked for, as it was when the rules decided."""

    prk: str
    medicine: str
    quantity: Decimal | None


class _AskedOrder(Struct, frozen=True):
    practice: str
    remark: str | None
    supply_until: date | None
    lines: Sequence[_Asked]


class _Decision(Struct, frozen=True):
    """What the rules said of a line, which rules, what they read, and the quantities of then by line."""

    said: SaidLine
    rules: int
    known: Known | None
    quantities: Mapping[int, Decimal]


def judge(
    order: PastOrder, notes: Iterable[PastNote], policy: Policy
) -> Iterator[Judged | NotJudged]:
    """Decide the lines of an order again under this policy; each line once."""
    decisions = _decisions(notes)
    for place, line in enumerate(order.lines):
        decision = decisions.get(line.number)
        if decision is not None and decision.rules != rules.VERSION:
            yield NotJudged(WhyNotJudged.OTHER_RULES)
        elif decision is None or decision.known is None:
            yield NotJudged(WhyNotJudged.FACTS_UNKNOWN)
        else:
            known = decision.known
            asked = _as_asked(order, decision, known)
            facts = [*facts_of(asked, order.placed_at, known, policy)][place]
            tried = _answer(rules.decide(facts))
            yield Judged(order, line, _as_decided(decision.said), tried, known.policy_version)


def _decisions(notes: Iterable[PastNote]) -> Mapping[int, _Decision]:
    """What the rules decided of each line, the first time that it did not wait for an overview, if ever."""
    found: dict[int, _Decision] = {}
    quantities: dict[int, Decimal] = {}
    known, at = None, None
    for note in notes:
        # What was known is kept with the first note of a decision, for all of them.
        known, at = note.known or (known if note.at == at else None), note.at
        quantities |= {n.line: n.quantity for n in note.lines if n.quantity is not None}
        if note.rules is None:
            continue
        for said in note.lines:
            earlier = found.get(said.line)
            if earlier is None or earlier.said.outcome is Outcome.WAITING:
                found[said.line] = _Decision(said, note.rules, known, dict(quantities))
    return found


def _as_asked(order: PastOrder, decision: _Decision, known: Known) -> _AskedOrder:
    """The order as it was then: a person may have changed a quantity since, an overview a name."""
    lines = []
    for line, listed in zip(order.lines, known.lines, strict=True):
        name = listed.entry.medicine if listed.entry else line.medicine
        if line.number == decision.said.line:
            name = decision.said.ordered_as or name
        lines.append(_Asked(line.prk, name, decision.quantities.get(line.number)))
    return _AskedOrder(order.practice, order.remark, order.supply_until, lines)


def _as_decided(said: SaidLine) -> Answer:
    assert said.outcome is not None, "the rules gave an outcome"
    return Answer(said.outcome, tuple([reason.code for reason in said.reasons]), said.reviewer)


def _answer(verdict: Verdict) -> Answer:
    codes = tuple([reason.code for reason in verdict.reasons])
    return Answer(verdict.outcome, codes, verdict.reviewer)


MOST_EXAMPLES = 20
_MOST_OF_A_KIND = 5

Change: TypeAlias = tuple[Outcome, Outcome]
"""(decided, tried)."""


@dataclass
class Trial:
    """What a policy would change, counted over lines; `examples` are of the lines that came first."""

    orders: int = 0
    not_judged: Counter[WhyNotJudged] = field(default_factory=Counter)
    changed: int = 0
    outcomes: Counter[Change] = field(default_factory=Counter)
    reasons_decided: Counter[ReasonCode] = field(default_factory=Counter)
    reasons_tried: Counter[ReasonCode] = field(default_factory=Counter)
    reviewers_decided: Counter[Reviewer] = field(default_factory=Counter)
    reviewers_tried: Counter[Reviewer] = field(default_factory=Counter)
    policies: Counter[int | None] = field(default_factory=Counter)
    examples: list[Judged] = field(default_factory=list)
    _shown: Counter[Change] = field(default_factory=Counter)

    @property
    def judged(self) -> int:
        """How many lines were decided again."""
        return self.outcomes.total()

    @property
    def lines(self) -> int:
        """How many lines the orders have."""
        return self.judged + self.not_judged.total()

    def add(self, lines: Iterable[Judged | NotJudged]) -> None:
        """Count the lines of one order."""
        self.orders += 1
        for line in lines:
            if isinstance(line, NotJudged):
                self.not_judged[line.why] += 1
            else:
                self._add(line)

    def _add(self, line: Judged) -> None:
        decided, tried = line.decided, line.tried
        self.outcomes[decided.outcome, tried.outcome] += 1
        self.policies[line.policy_version] += 1
        self.reasons_decided.update({*decided.reasons})
        self.reasons_tried.update({*tried.reasons})
        if decided.reviewer:
            self.reviewers_decided[decided.reviewer] += 1
        if tried.reviewer:
            self.reviewers_tried[tried.reviewer] += 1
        if _differ(decided, tried):
            self.changed += 1
            self._show(line)

    def _show(self, line: Judged) -> None:
        kind = (line.decided.outcome, line.tried.outcome)
        if len(self.examples) < MOST_EXAMPLES and self._shown[kind] < _MOST_OF_A_KIND:
            self._shown[kind] += 1
            self.examples.append(line)


def _differ(decided: Answer, tried: Answer) -> bool:
    same = decided.outcome is tried.outcome and decided.reviewer is tried.reviewer
    return not same or {*decided.reasons} != {*tried.reasons}
