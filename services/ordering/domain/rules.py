"""The rules on one line, each as a GP would say it, in a table that whoever asks about a line goes through.

Deciding an order, showing what can be ordered, explaining an outcome and trying a policy ask the same table:
`holding` says which rules hold of a line's `Facts`, `decide` what follows from them.
"""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Protocol

from msgspec import Struct

from schemas.reasons import Reason, ReasonCode
from schemas.records.directory import Policy
from schemas.records.medication import Status
from schemas.records.orders import Outcome
from services.ordering.domain.overview import Entry


class Asked(Protocol):
    """What is asked for: a line of an order, or a medicine that could be ordered."""

    @property
    def prk(self) -> str:
        """Which medicine."""

    @property
    def quantity(self) -> int:
        """How much, in the unit of the overview's entry."""


class Facts(Struct, frozen=True):
    """All that the rules look at, of one line.

    `practice` is where it is ordered, `registered_at` the practice of the patient's overview (AGB codes);
    that is None, and so is `entry`, as long as no overview has arrived. `entry` is None also for a medicine
    that the overview does not have.
    """

    asked: Asked
    entry: Entry | None
    practice: str
    registered_at: str | None
    pharmacy_known: bool
    policy: Policy
    remark: str | None = None
    supply_until: date | None = None


class Rule(Struct, frozen=True):
    """One rule: whether it holds of a line, and what it leads to when it is the only one that does.

    `code` is None for the one that gives no reason. `version` rises when what the rule says changes.
    """

    code: ReasonCode | None
    version: int
    check: Callable[[Facts], bool]
    outcome: Outcome = Outcome.REFUSED


class Verdict(Struct, frozen=True):
    """What becomes of a line, with all reasons that hold."""

    outcome: Outcome
    reasons: tuple[Reason, ...]


def registered_elsewhere(facts: Facts) -> bool:
    """The patient's overview is of another practice."""
    return facts.registered_at is not None and facts.registered_at != facts.practice


def pharmacy_unknown(facts: Facts) -> bool:
    """The pharmacy is not in the directory."""
    return not facts.pharmacy_known


def overview_not_arrived(facts: Facts) -> bool:
    """The patient's overview has not arrived; it would not help an order for an unknown pharmacy."""
    return facts.registered_at is None and facts.pharmacy_known


def not_in_overview(facts: Facts) -> bool:
    """The overview does not have this medicine."""
    return facts.entry is None and facts.registered_at is not None


def temporary(facts: Facts) -> bool:
    """The medicine was prescribed temporarily."""
    return facts.entry is not None and facts.entry.status is Status.TEMPORARY


def stopped(facts: Facts) -> bool:
    """The medicine was stopped."""
    return facts.entry is not None and facts.entry.status is Status.STOPPED


def covered_by_repeat_service(facts: Facts) -> bool:
    """The pharmacy supplies the medicine by itself."""
    return facts.entry is not None and facts.entry.repeat_service


def high_risk(facts: Facts) -> bool:
    """The practice looks at every repeat of a medicine with a high risk."""
    return facts.policy.review_high_risk and facts.entry is not None and facts.entry.high_risk


def remark_to_read(facts: Facts) -> bool:
    """The practice reads every remark; a blank one says nothing."""
    return facts.policy.review_remarks and bool(facts.remark and facts.remark.strip())


def larger_supply(facts: Facts) -> bool:
    """The practice looks at orders for a longer period."""
    return facts.policy.review_larger_supply and facts.supply_until is not None


def larger_quantity(facts: Facts) -> bool:
    """The practice looks at orders of more than is usually supplied."""
    entry = facts.entry
    return (
        facts.policy.review_larger_quantity
        and entry is not None
        and facts.asked.quantity > entry.quantity
    )


def everything_reviewed(facts: Facts) -> bool:
    """The practice looks at every order."""
    return facts.policy.review_everything


REFUSALS = (
    Rule(ReasonCode.OTHER_PRACTICE, 1, registered_elsewhere),
    Rule(ReasonCode.UNKNOWN_PHARMACY, 1, pharmacy_unknown),
    Rule(ReasonCode.STATUS_NOT_KNOWN_YET, 1, overview_not_arrived, Outcome.WAITING),
    Rule(ReasonCode.NOT_IN_OVERVIEW, 1, not_in_overview, Outcome.E_CONSULT),
    Rule(ReasonCode.TEMPORARY_MEDICATION, 1, temporary),
    Rule(ReasonCode.STOPPED_MEDICATION, 1, stopped),
    Rule(
        ReasonCode.COVERED_BY_REPEAT_SERVICE, 1, covered_by_repeat_service, Outcome.REPEAT_SERVICE
    ),
)
"""Why a line cannot be supplied as asked."""

REVIEWS = (
    Rule(ReasonCode.HIGH_RISK_MEDICATION, 1, high_risk, Outcome.REVIEW),
    Rule(ReasonCode.REMARK_NEEDS_READING, 1, remark_to_read, Outcome.REVIEW),
    Rule(ReasonCode.LARGER_SUPPLY, 1, larger_supply, Outcome.REVIEW),
    Rule(ReasonCode.QUANTITY_ABOVE_LIMIT, 1, larger_quantity, Outcome.REVIEW),
    Rule(None, 1, everything_reviewed, Outcome.REVIEW),
)
"""Why the practice wants a person to look at a line first; asked of what can be supplied only."""

RULES = REFUSALS + REVIEWS
"""Every rule, in the order in which reasons appear."""

_REASONS = {code: Reason(code=code) for code in ReasonCode}


def decide(facts: Facts) -> Verdict:
    """What becomes of a line."""
    rules = holding(facts)
    reasons = [_REASONS[rule.code] for rule in rules if rule.code is not None]
    return Verdict(_outcome(rules), tuple(reasons))


def holding(facts: Facts) -> tuple[Rule, ...]:
    """Every rule that holds of a line, not only the first. What cannot be supplied is not reviewed either."""
    refusals = tuple([rule for rule in REFUSALS if rule.check(facts)])
    return refusals or tuple([rule for rule in REVIEWS if rule.check(facts)])


def _outcome(rules: Sequence[Rule]) -> Outcome:
    """What rules lead to that hold together: reasons of different kinds make a refusal."""
    if not rules:
        return Outcome.APPROVED
    outcomes = {rule.outcome for rule in rules}
    if Outcome.WAITING in outcomes and Outcome.REFUSED not in outcomes:
        return Outcome.WAITING
    return outcomes.pop() if len(outcomes) == 1 else Outcome.REFUSED
