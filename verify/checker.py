"""Checks a history and a dump against the rules. Pure: no clock, no I/O."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from runtime.kafka.group_members import Member, count_by_host
from verify.compare import Difference, compare
from verify.dump import Dump
from verify.evidence import Evidence
from verify.garbage_collection import gc_disabled
from verify.history import Operation
from verify.rules import (
    answers,
    approvals,
    decisions,
    groups,
    journals,
    knowledge,
    order_ids,
    order_lines,
    overview_changes,
    prescriptions,
    requests,
    states,
    trails,
    verdicts,
)
from verify.rules.finding import Rule

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
        decisions.waiting_without_timer,
        verdicts.verdict_without_reason,
        approvals.duplicate_passed,
        approvals.unauthorised_passed,
        approvals.unseen_passed,
        approvals.too_early_passed,
        prescriptions.prescription_without_approval,
        prescriptions.prescription_count,
        answers.message_count,
        answers.message_without_event,
        answers.inbox_differs,
        answers.promise_differs,
        answers.message_content_differs,
        answers.counts_differ,
        states.orders_differ,
        order_lines.order_lines_differ,
        order_ids.order_ids_differ,
        journals.journal_differs,
        knowledge.known_differs,
        journals.ordered_before_differs,
        states.notification_orders_differ,
        states.overview_without_change,
        states.applied_without_change,
        states.overviews_differ,
        overview_changes.history_differs,
        states.stale_overview,
        states.output_unreadable,
        states.foreign_record,
        decisions.not_at_rest,
        groups.process_twice_in_group,
        trails.audit_missing,
    )
}
"""The rules by name, in the order in which they are shown."""


@dataclass(frozen=True, slots=True)
class Violation:
    """One breach of a rule: what is wrong, and where. Names ids only, never the content of a record."""

    rule: str
    what: str
    where: str


@dataclass(frozen=True)
class Counts:
    """Figures about the orders and records; none of them is a violation.

    Without a history `sent` counts the orders on orders.requests, and the next three are 0.
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
    """By service and reason, without repeats."""
    members: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """Members of the consumer groups, by service and host; several on one host mean several workers."""


@dataclass(frozen=True)
class Verdict:
    """The checker's result."""

    counts: Counts
    violations: tuple[Violation, ...] = ()

    @property
    def clean(self) -> bool:
        """Whether no rule is broken."""
        return not self.violations

    @property
    def by_rule(self) -> dict[str, list[Violation]]:
        """The violations of each rule; empty lists included."""
        by_rule: dict[str, list[Violation]] = {name: [] for name in RULES}
        for violation in self.violations:
            by_rule[violation.rule].append(violation)
        return by_rule


def check(history: Sequence[Operation] | None, dump: Dump) -> Verdict:
    """Check a dump, and the clients' history if there is one, against every rule."""
    with gc_disabled():
        evidence = Evidence(history, dump)
        violations = tuple(
            Violation(name, what, where)
            for name, rule in RULES.items()
            for what, where in rule(evidence)
        )
        return Verdict(_counts(evidence), violations)


def _counts(evidence: Evidence) -> Counts:
    best = _best_outcomes(evidence)
    topics = [evidence.requests, evidence.reviews, evidence.changes, *evidence.outputs]
    repeated = {topic.topic.name: topic.repeated for topic in topics}
    repeated |= {
        f"{name}.dead-letters": letters.repeated for name, letters in evidence.dead_letters.items()
    }
    return Counts(
        sent=len(evidence.place_requests) if evidence.history is None else len(best),
        acknowledged=sum(outcome == "ok" for outcome in best.values()),
        unknown=sum(outcome == "unknown" for outcome in best.values()),
        refused=sum(outcome == "fail" for outcome in best.values()),
        decided=len(evidence.orders),
        records=len(evidence.dump.records),
        raw_duplicates={name: count for name, count in repeated.items() if count},
        dead_letters={
            name: dict(
                Counter(letter.reason for letter in letters.by_origin.values()).most_common()
            )
            for name, letters in evidence.dead_letters.items()
        },
        members=_members(evidence),
    )


def _members(evidence: Evidence) -> dict[str, dict[str, int]]:
    groups: dict[str, list[Member]] = {}
    for member in evidence.dump.members:
        groups.setdefault(member.service, []).append(member)
    return {service: count_by_host(members) for service, members in groups.items()}


def _best_outcomes(evidence: Evidence) -> dict[object, str]:
    """The best outcome among the attempts to place each order: `ok`, else `unknown`, else `fail`."""
    rank = {"fail": 0, "unknown": 1, "ok": 2}
    best: dict[object, str] = {}
    for operation in evidence.history or ():
        if operation.f == "place":
            before = best.get(operation.order_id, "fail")
            best[operation.order_id] = max(before, operation.outcome, key=rank.__getitem__)
    return best
