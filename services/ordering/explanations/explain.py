"""Explains the decisions on an order: which rules were asked, what they read, and what each said.

It reads what the journal kept of the moment of each decision, never what is so today.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import TypeAlias

from msgspec import Struct

from schemas.api.explanations import (
    DecisionView,
    ExplainedLine,
    ExplanationView,
    FactView,
    RuleView,
    VersionsView,
)
from schemas.base import Role
from schemas.records.directory import Policy
from services.ordering.domain import rules
from services.ordering.domain.facts import Facts, facts_of
from services.ordering.domain.journal import Note, NotedLine
from services.ordering.domain.knowledge import Known
from services.ordering.domain.names import contradicts
from services.ordering.domain.order import Line, Order
from services.ordering.domain.past import DECIDED, LINE_DECIDED, Past, Step, steps
from services.ordering.explanations import telling
from services.ordering.explanations.asked import AskedRule, asked
from services.ordering.explanations.facts import FACTS, Fact
from services.ordering.explanations.reader import Reader
from services.ordering.explanations.texts import NO_FACTS, NO_POLICY, OTHER_RULES, RULES

PolicyOf: TypeAlias = Callable[[int | None], Policy | None]
"""The practice's policy of a version; None when that is not kept."""

_ORDERED_NAME = "ordered_name"


class _Ordered(Struct, frozen=True):
    """A line as it was ordered, as far as the order's state says."""

    prk: str
    medicine: str
    quantity: Decimal | None


class _OrderAsPlaced(Struct, frozen=True):
    practice: str
    remark: str | None
    supply_until: date | None
    lines: Sequence[_Ordered]


def explanation(past: Past, policy_of: PolicyOf, reader: Reader) -> ExplanationView:
    """Explain every decision on an order, oldest first."""
    return ExplanationView(
        order_id=past.order.order_id,
        language=reader.language,
        complete=past.complete,
        decisions=[
            decision
            for step in steps(past)
            if step.first.type in (DECIDED, LINE_DECIDED)
            and (decision := _Decision(past, step, _policy(step, policy_of), reader).view()).lines
        ],
    )


def _policy(step: Step, policy_of: PolicyOf) -> Policy | None:
    return policy_of(step.known.policy_version) if step.known else None


@dataclass(frozen=True)
class _Decision:
    """One decision on an order; `policy` is the practice's of then, None when it is not kept."""

    past: Past
    step: Step
    policy: Policy | None
    reader: Reader

    def view(self) -> DecisionView:
        """The response body for it."""
        first, known = self.step.first, self.step.known
        role = Role.POLICY if first.by is None else first.by.role
        return DecisionView(
            at=first.at,
            by=role,
            versions=_versions(first, known),
            lines=[
                self._line(note, line)
                for note, line in self.step.lines
                if self.reader.of_practice or not self.step.keeps(line)
            ],
            words=first.words,
            not_kept=[*self._not_kept()],
        )

    def _line(self, note: Note, line: NotedLine) -> ExplainedLine:
        assert line.outcome is not None, "a decision has an outcome"
        place, state = _state_of(self.past.order, line.line)
        facts = self._facts[place] if self._facts else None
        told = asked(self.step, note, line, place) if self._asks(line) else ()
        before = self.step.before.get(line.line)
        return ExplainedLine(
            line=line.line,
            medicine=state.medicine,
            outcome=line.outcome,
            text=telling.decided(note, line, before, self.reader.language),
            reviewer=line.reviewer,
            reasons=line.reasons,
            signals=line.signals,
            rules=[
                self._rule(rule, facts) for rule in told if rule.held or self.reader.of_practice
            ],
        )

    def _asks(self, line: NotedLine) -> bool:
        return self.step.by_rules or line.reviewed_as is not None

    @cached_property
    def _facts(self) -> Sequence[Facts]:
        """What the rules read for each line; nothing when it is not kept."""
        order, known = self.past.order, self.step.known
        if known is None:
            return ()
        policy = self.policy or Policy()
        return [*facts_of(self._as_ordered(), order.placed_at, known, policy)]

    def _as_ordered(self) -> _OrderAsPlaced:
        """The order with the quantities and names that were decided on then."""
        order, then = self.past.order, self._noted_then()
        lines = [
            _Ordered(line.prk, said.ordered_as or line.medicine, said.quantity)
            for line in order.lines
            # A line without a note of then, for a gap in the journal, is as it is now.
            for said in (then.get(line.number, line),)
        ]
        return _OrderAsPlaced(order.practice, order.remark, order.supply_until, lines)

    def _noted_then(self) -> Mapping[int, NotedLine]:
        """What the newest note of each line says, up to this decision."""
        until = self.step.notes[-1].seq
        return {
            line.line: line
            for note in self.past.notes
            if note.seq <= until and note.type in (DECIDED, LINE_DECIDED)
            for line in note.lines
        }

    def _rule(self, rule: AskedRule, facts: Facts | None) -> RuleView:
        text, language = RULES[rule.name], self.reader.language
        return RuleView(
            rule=rule.name,
            version=rule.version,
            question=text.question[language],
            held=rule.held,
            answer=(text.yes if rule.held else text.no)[language],
            facts=[*self._shown(text.facts, facts)] if facts else [],
        )

    def _shown(self, names: Sequence[str], facts: Facts) -> Iterator[FactView]:
        """The facts that are kept, and may be shown to who reads."""
        language = self.reader.language
        for name in names:
            fact = FACTS[name]
            if self._is_told(fact) and _is_kept(name, facts):
                value = fact.value(facts, language)
                yield FactView(name=name, label=fact.label[language], value=value)

    def _is_told(self, fact: Fact) -> bool:
        """Tell whether a fact is for who reads, and known: of the policy only the present one is."""
        return not fact.of_policy or (self.policy is not None and self.reader.of_practice)

    def _not_kept(self) -> Iterator[str]:
        """What is not known any more of a decision by the rules, in words."""
        language, known = self.reader.language, self.step.known
        if not self.step.by_rules:
            return
        if known is None:
            yield NO_FACTS[language]
        if self.step.first.rules != rules.VERSION and self.step.first.rules is not None:
            yield OTHER_RULES[language]
        if known is not None and self.policy is None and self.reader.of_practice:
            yield NO_POLICY[language]


def _is_kept(name: str, facts: Facts) -> bool:
    """Tell whether a fact is kept: of the order's name for a medicine, only one that contradicts the
    overview's is."""
    listed = facts.entry.medicine if facts.entry else None
    return name != _ORDERED_NAME or listed is None or contradicts(facts.asked.medicine, listed)


def _versions(first: Note, known: Known | None) -> VersionsView:
    return VersionsView(
        rules=first.rules,
        overview=known.overview_version if known else None,
        policy=known.policy_version if known else None,
        medicines=known.list_version if known else None,
    )


def _state_of(order: Order, number: int) -> tuple[int, Line]:
    """A line of an order, and its place in it."""
    return next((n, line) for n, line in enumerate(order.lines) if line.number == number)
