"""The rules for one order line, each as a GP would say it, in one table.

For deciding; meant also for showing what can be ordered, explaining an outcome, and trying a policy.
`holding` returns the rules that hold for a line's `Facts`, `decide` the outcome and the reasons.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol

from msgspec import Struct

from schemas.reasons import Reason, ReasonCode
from schemas.records.directory import Pharmacy, Policy
from schemas.records.medication import Status
from schemas.records.orders import Outcome
from schemas.times import local_date
from services.ordering.domain.names import contradicts
from services.ordering.domain.overview import Entry


class Asked(Protocol):
    """What is to be supplied: a line of an order, or a medicine that could be ordered."""

    @property
    def prk(self) -> str:
        """The medicine's PRK code."""

    @property
    def medicine(self) -> str:
        """Its name, in the words of whoever orders."""

    @property
    def quantity(self) -> Decimal:
        """How much, in the unit of the overview's entry."""


class Facts(Struct, frozen=True):
    """Everything that the rules read for one line.

    `practice` is where the line is ordered, `registered_at` the practice in the patient's overview (AGB codes).
    Both `registered_at` and `entry` are None until an overview has arrived; `entry` is also None for a medicine
    that is not in the overview. `pharmacy` is None when it is not in the directory, or when none is chosen yet.
    `at` is the time of the decision (UTC). `together` is the quantity of this medicine in the whole order, and
    `lines` in how many of its lines it is.
    """

    asked: Asked
    entry: Entry | None
    practice: str
    registered_at: str | None
    pharmacy: Pharmacy | None
    policy: Policy
    at: datetime
    together: Decimal
    lines: int = 1
    remark: str | None = None
    supply_until: date | None = None
    pharmacy_chosen: bool = True


class Rule(Struct, frozen=True):
    """One rule: a check, and the outcome when only this rule holds.

    `code` is None for a rule without a reason. `version` rises whenever the meaning of the rule changes.
    """

    code: ReasonCode | None
    version: int
    check: Callable[[Facts], bool]
    outcome: Outcome = Outcome.REFUSED


class Verdict(Struct, frozen=True):
    """The outcome of a line, with every reason that holds."""

    outcome: Outcome
    reasons: tuple[Reason, ...]


def registered_elsewhere(facts: Facts) -> bool:
    """The patient is registered with another practice."""
    return facts.registered_at is not None and facts.registered_at != facts.practice


def pharmacy_unknown(facts: Facts) -> bool:
    """The pharmacy is not in the directory."""
    return facts.pharmacy is None and facts.pharmacy_chosen


def overview_not_arrived(facts: Facts) -> bool:
    """The patient's overview has not arrived.

    Not checked for an unknown pharmacy: that order is refused anyway.
    """
    return facts.registered_at is None and facts.pharmacy is not None


def not_in_overview(facts: Facts) -> bool:
    """The medicine is not in the overview."""
    return facts.entry is None and facts.registered_at is not None


def temporary(facts: Facts) -> bool:
    """The medicine was prescribed temporarily."""
    return facts.entry is not None and facts.entry.status is Status.TEMPORARY


def stopped(facts: Facts) -> bool:
    """The medicine was stopped."""
    return facts.entry is not None and facts.entry.status is Status.STOPPED


def covered_by_repeat_service(facts: Facts) -> bool:
    """The pharmacy supplies the medicine by itself."""
    in_service = facts.entry is not None and facts.entry.repeat_service
    return in_service and (facts.pharmacy is None or facts.pharmacy.repeat_service)


def name_contradicts_code(facts: Facts) -> bool:
    """The order has another medicine's name than the overview has for this code: which one is meant?"""
    return facts.entry is not None and contradicts(facts.asked.medicine, facts.entry.medicine)


def overview_incomplete(facts: Facts) -> bool:
    """Another entry of this medicine was left out of the overview for a flaw: perhaps a second dosage."""
    return facts.entry is not None and facts.entry.incomplete


def medicine_twice(facts: Facts) -> bool:
    """The order has this medicine more than once."""
    return facts.lines > 1


def other_repeat_service(facts: Facts) -> bool:
    """The medicine is in a repeat service, and the pharmacy of the order runs none: another may supply it."""
    in_service = facts.entry is not None and facts.entry.repeat_service
    return in_service and facts.pharmacy is not None and not facts.pharmacy.repeat_service


def supply_date_passed(facts: Facts) -> bool:
    """The order is for a period that is over."""
    return facts.supply_until is not None and facts.supply_until < local_date(facts.at)


def high_risk(facts: Facts) -> bool:
    """The practice reviews every repeat of a high-risk medicine."""
    return facts.policy.review_high_risk and facts.entry is not None and facts.entry.high_risk


def remark_to_read(facts: Facts) -> bool:
    """The practice reads every remark that is not blank."""
    return facts.policy.review_remarks and bool(facts.remark and facts.remark.strip())


def larger_supply(facts: Facts) -> bool:
    """The practice reviews orders for a longer period."""
    until = facts.supply_until
    return facts.policy.review_larger_supply and until is not None and until >= local_date(facts.at)


def larger_quantity(facts: Facts) -> bool:
    """The practice reviews orders of more than is usually supplied, all lines of the medicine together."""
    entry = facts.entry
    return (
        facts.policy.review_larger_quantity
        and entry is not None
        and facts.together > entry.quantity
    )


def everything_reviewed(facts: Facts) -> bool:
    """The practice reviews every order."""
    return facts.policy.review_everything


REFUSALS = (
    Rule(ReasonCode.OTHER_PRACTICE, 1, registered_elsewhere),
    Rule(ReasonCode.UNKNOWN_PHARMACY, 1, pharmacy_unknown),
    Rule(ReasonCode.STATUS_NOT_KNOWN_YET, 1, overview_not_arrived, Outcome.WAITING),
    Rule(ReasonCode.NOT_IN_OVERVIEW, 1, not_in_overview, Outcome.E_CONSULT),
    Rule(ReasonCode.TEMPORARY_MEDICATION, 1, temporary),
    Rule(ReasonCode.STOPPED_MEDICATION, 1, stopped),
    Rule(
        ReasonCode.COVERED_BY_REPEAT_SERVICE, 2, covered_by_repeat_service, Outcome.REPEAT_SERVICE
    ),
)
"""Why a line cannot be supplied as asked."""

REVIEWS = (
    Rule(ReasonCode.NAME_CONTRADICTS_CODE, 1, name_contradicts_code, Outcome.REVIEW),
    Rule(ReasonCode.OVERVIEW_INCOMPLETE, 1, overview_incomplete, Outcome.REVIEW),
    Rule(ReasonCode.MEDICINE_TWICE, 1, medicine_twice, Outcome.REVIEW),
    Rule(ReasonCode.OTHER_REPEAT_SERVICE, 1, other_repeat_service, Outcome.REVIEW),
    Rule(ReasonCode.SUPPLY_DATE_PASSED, 1, supply_date_passed, Outcome.REVIEW),
    Rule(ReasonCode.HIGH_RISK_MEDICATION, 1, high_risk, Outcome.REVIEW),
    Rule(ReasonCode.REMARK_NEEDS_READING, 1, remark_to_read, Outcome.REVIEW),
    Rule(ReasonCode.LARGER_SUPPLY, 2, larger_supply, Outcome.REVIEW),
    Rule(ReasonCode.QUANTITY_ABOVE_LIMIT, 2, larger_quantity, Outcome.REVIEW),
    Rule(None, 1, everything_reviewed, Outcome.REVIEW),
)
"""Why a person reviews a line first; checked only for a line that no refusal holds for."""

RULES = REFUSALS + REVIEWS
"""Every rule, in the order in which reasons appear."""

_REASONS = {code: Reason(code=code) for code in ReasonCode}


def decide(facts: Facts) -> Verdict:
    """Decide the outcome of a line, with its reasons."""
    return _verdict(holding(facts))


def refusal(facts: Facts) -> Verdict | None:
    """The outcome and reasons of a line that cannot be supplied, whoever approves it; None when it can."""
    rules = tuple([rule for rule in REFUSALS if rule.check(facts)])
    return _verdict(rules) if rules else None


def holding(facts: Facts) -> tuple[Rule, ...]:
    """Every rule that holds for a line, not only the first; reviews only when no refusal holds."""
    refusals = tuple([rule for rule in REFUSALS if rule.check(facts)])
    return refusals or tuple([rule for rule in REVIEWS if rule.check(facts)])


def _verdict(rules: Sequence[Rule]) -> Verdict:
    reasons = [_REASONS[rule.code] for rule in rules if rule.code is not None]
    return Verdict(_outcome(rules), tuple(reasons))


def _outcome(rules: Sequence[Rule]) -> Outcome:
    """The outcome of rules that hold together: different outcomes make a refusal."""
    if not rules:
        return Outcome.APPROVED
    outcomes = {rule.outcome for rule in rules}
    if Outcome.WAITING in outcomes and Outcome.REFUSED not in outcomes:
        return Outcome.WAITING
    return outcomes.pop() if len(outcomes) == 1 else Outcome.REFUSED
