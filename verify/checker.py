"""The checker: holds a history and a dump against the rules. Pure: no clock, no I/O."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from runtime.kafka.group_members import Member, by_host
from verify.dump import Dump
from verify.facts import Facts
from verify.history import Operation
from verify.memory import no_collections
from verify.normal import Difference, compare
from verify.rules import (
    answers,
    decisions,
    groups,
    order_lines,
    overview_changes,
    prescriptions,
    requests,
    states,
)
from verify.rules.found import Rule

__all__ = ["RULES", "Counts", "Difference", "Verdict", "Violation", "check", "compare"]

RULES: Mapping[str, Rule] = {
    rule.__name__: rule
    for rule in (
        requests.acknowledged_lost,
        requests.refused_decided,
        requests.input_not_settled,
        requests.unreadable_not_kept,
        requests.misplaced_not_moved,
        requests.dead_letter_without_cause,
        decisions.decided_twice,
        decisions.event_without_cause,
        decisions.sequence_broken,
        decisions.patient_out_of_order,
        decisions.waits_for_ever,
        prescriptions.prescription_without_approval,
        prescriptions.prescription_count,
        answers.answers_differ,
        answers.message_without_event,
        answers.inbox_differs,
        answers.promise_differs,
        answers.told_differs,
        answers.counts_differ,
        states.orders_differ,
        order_lines.order_lines_differ,
        states.told_orders_differ,
        states.overview_without_change,
        states.applied_without_change,
        states.overviews_differ,
        overview_changes.history_differs,
        states.stale_overview,
        states.output_unreadable,
        states.foreign_record,
        decisions.not_at_rest,
        groups.process_twice_in_group,
    )
}
"""Every rule by its name."""


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that breaks a rule: what is wrong and where, in ids, never in content."""

    rule: str
    what: str
    where: str


@dataclass(frozen=True)
class Counts:
    """Orders, and what is not wrong but worth knowing.

    Without a history `sent` is what is on orders.requests, and the three after it are 0.
    """

    sent: int
    acknowledged: int
    unknown: int
    refused: int
    decided: int
    records: int
    raw_duplicates: Mapping[str, int] = field(default_factory=dict)
    """By topic."""
    dead_letters: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """By service and reason, each once."""
    members: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """Of the services' groups, by service and host; several on one host are several workers there."""


@dataclass(frozen=True)
class Verdict:
    """What the checker decided."""

    counts: Counts
    violations: tuple[Violation, ...] = ()

    @property
    def clean(self) -> bool:
        """Whether no rule is broken."""
        return not self.violations

    @property
    def by_rule(self) -> dict[str, list[Violation]]:
        """The violations of each rule, every rule named."""
        found: dict[str, list[Violation]] = {name: [] for name in RULES}
        for violation in self.violations:
            found[violation.rule].append(violation)
        return found


def check(history: Sequence[Operation] | None, dump: Dump) -> Verdict:
    """Hold what clients did, as far as they wrote it down, and what is there against every rule."""
    with no_collections():
        facts = Facts(history, dump)
        violations = tuple(
            Violation(name, what, where)
            for name, rule in RULES.items()
            for what, where in rule(facts)
        )
        return Verdict(_counts(facts), violations)


def _counts(facts: Facts) -> Counts:
    best = _best_outcomes(facts)
    topics = [facts.requests, facts.reviews, facts.changes, *facts.outputs]
    repeated = {topic.topic.name: topic.repeated for topic in topics}
    repeated |= {f"{name}.dead-letters": found.repeated for name, found in facts.letters.items()}
    return Counts(
        sent=len(facts.placed) if facts.history is None else len(best),
        acknowledged=sum(outcome == "ok" for outcome in best.values()),
        unknown=sum(outcome == "unknown" for outcome in best.values()),
        refused=sum(outcome == "fail" for outcome in best.values()),
        decided=len(facts.orders),
        records=len(facts.dump.records),
        raw_duplicates={name: count for name, count in repeated.items() if count},
        dead_letters={
            name: dict(Counter(letter.reason for letter in found.by_origin.values()).most_common())
            for name, found in facts.letters.items()
        },
        members=_members(facts),
    )


def _members(facts: Facts) -> dict[str, dict[str, int]]:
    groups: dict[str, list[Member]] = {}
    for member in facts.dump.members:
        groups.setdefault(member.service, []).append(member)
    return {service: by_host(found) for service, found in groups.items()}


def _best_outcomes(facts: Facts) -> dict[object, str]:
    """The outcome of each order's attempts: acknowledged once is acknowledged, refused always is refused."""
    rank = {"fail": 0, "unknown": 1, "ok": 2}
    best: dict[object, str] = {}
    for operation in facts.history or ():
        if operation.f == "place":
            before = best.get(operation.order_id, "fail")
            best[operation.order_id] = max(before, operation.outcome, key=rank.__getitem__)
    return best
