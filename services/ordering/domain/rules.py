"""The rules for one order line, each as a GP would say it, in one table.

For deciding, showing what can be ordered, explaining an outcome and trying a policy. `holding` returns the
rules that hold for a line's `Facts`, `decide` the outcome, the reasons, and who is to decide what needs a
person. What the checks ask is in `refusals` and `reviews`.
"""

from collections.abc import Callable, Sequence

from msgspec import Struct

from schemas.base import Reviewer
from schemas.reasons import Reason, ReasonCode
from schemas.records.orders import Outcome, Signal
from services.ordering.domain import refusals, reviews
from services.ordering.domain.facts import Facts

VERSION = 2
"""The version of the whole table: it rises with every change of a rule
(`tests/unit/ordering/test_rule_table.py`)."""


class Rule(Struct, frozen=True):
    """One rule: a check, and the outcome when only this rule holds.

    `code` is None for a rule without a reason. `version` rises whenever the meaning of the rule changes.
    `overrules` if it counts also against a person's approval: the overview changed meanwhile. `reviewer` is who
    is to decide, `reason` adds a date or an order to the code.
    """

    code: ReasonCode | None
    version: int
    check: Callable[[Facts], bool]
    outcome: Outcome = Outcome.REFUSED
    reviewer: Callable[[Facts], Reviewer] | None = None
    reason: Callable[[Facts], Reason] | None = None
    overrules: bool = False

    @property
    def name(self) -> str:
        """What the rule is called, in explanations and trials."""
        return self.check.__name__


class Verdict(Struct, frozen=True):
    """The outcome of a line with every reason that holds, and who is to decide it if it is in review.

    `held` are the names of the rules that hold, also of one without a reason.
    """

    outcome: Outcome
    reasons: tuple[Reason, ...]
    reviewer: Reviewer | None = None
    signals: tuple[Signal, ...] = ()
    held: tuple[str, ...] = ()


def _assistant(_: Facts) -> Reviewer:
    return Reviewer.ASSISTANT


def _gp(_: Facts) -> Reviewer:
    return Reviewer.GP


def _pharmacy(_: Facts) -> Reviewer:
    return Reviewer.PHARMACY


_R = ReasonCode

REFUSALS = (
    Rule(_R.OTHER_PRACTICE, 1, refusals.registered_elsewhere, overrules=True),
    Rule(_R.STATUS_NOT_KNOWN_YET, 2, refusals.overview_not_arrived, Outcome.WAITING),
    Rule(_R.NOT_IN_OVERVIEW, 1, refusals.not_in_overview, Outcome.E_CONSULT, overrules=True),
    Rule(_R.TEMPORARY_MEDICATION, 1, refusals.temporary, overrules=True),
    Rule(_R.STOPPED_MEDICATION, 1, refusals.stopped, overrules=True),
    Rule(
        _R.COVERED_BY_REPEAT_SERVICE,
        3,
        refusals.covered_by_repeat_service,
        Outcome.REPEAT_SERVICE,
        overrules=True,
    ),
    Rule(_R.DUPLICATE_ORDER, 1, refusals.under_way_already, reason=refusals.other_order),
    Rule(_R.TOO_EARLY, 1, refusals.too_early, reason=refusals.from_when),
    Rule(_R.AUTHORISATION_EXPIRED, 1, refusals.authorisation_ended),
    Rule(_R.OUTSIDE_ORDER_HOURS, 1, refusals.outside_order_hours, reason=refusals.next_order_day),
    Rule(_R.REMARK_NOT_ALLOWED, 1, refusals.remark_not_allowed),
    Rule(_R.REMARK_MISSING, 1, refusals.remark_missing),
    Rule(_R.REMARK_TOO_LONG, 1, refusals.remark_too_long),
)
"""Why a line cannot be supplied as asked."""


def _review(
    code: ReasonCode | None,
    version: int,
    check: Callable[[Facts], bool],
    reviewer: Callable[[Facts], Reviewer],
    reason: Callable[[Facts], Reason] | None = None,
) -> Rule:
    return Rule(code, version, check, Outcome.REVIEW, reviewer, reason)


REVIEWS = (
    _review(_R.UNKNOWN_PHARMACY, 2, reviews.pharmacy_not_connected, _assistant),
    _review(_R.NAME_CONTRADICTS_CODE, 1, reviews.name_contradicts_code, _assistant),
    _review(_R.OVERVIEW_INCOMPLETE, 1, reviews.overview_incomplete, _assistant),
    _review(_R.MEDICINE_TWICE, 1, reviews.medicine_twice, _assistant),
    _review(_R.OTHER_REPEAT_SERVICE, 1, reviews.other_repeat_service, _assistant),
    _review(_R.SUPPLY_DATE_PASSED, 1, reviews.supply_date_passed, _assistant),
    _review(_R.TOO_EARLY, 1, reviews.too_early_with_a_reason, reviews.by_class, refusals.from_when),
    _review(_R.DOSAGE_TO_CHECK, 1, reviews.weekly_taken_daily, _gp),
    _review(_R.HIGH_RISK_MEDICATION, 2, reviews.high_risk, reviews.who_decides_high_risk),
    _review(_R.CONTROL_OVERDUE, 1, reviews.control_long_overdue, _gp),
    _review(_R.SPECIALIST_MEDICINE, 1, reviews.from_a_specialist, _gp),
    _review(_R.RESTART_AFTER_GAP, 1, reviews.restart_after_gap, _gp),
    _review(_R.AUTHORISATION_EXPIRED, 1, reviews.authorisation_to_renew, _gp),
    _review(_R.NOT_AUTHORISED, 1, reviews.not_authorised, _gp),
    _review(_R.WEEKLY_PACKING, 1, reviews.packed_by_the_week, _pharmacy),
    _review(_R.REMARK_NEEDS_READING, 2, reviews.remark_to_read, _assistant),
    _review(_R.LARGER_SUPPLY, 3, reviews.larger_supply, reviews.who_decides_larger_supply),
    _review(_R.QUANTITY_ABOVE_LIMIT, 3, reviews.larger_quantity, reviews.by_class),
    _review(_R.TOO_MANY_LINES, 1, reviews.too_many_lines, _assistant),
    _review(None, 2, reviews.everything_reviewed, reviews.approver),
)
"""Why a person reviews a line first; checked only for a line that no refusal holds for."""

RULES = REFUSALS + REVIEWS
"""Every rule, in the order in which reasons appear."""

# Each with its check beside it: asking thirty rules is most of what a decision takes.
_REFUSALS = tuple([(rule.check, rule) for rule in REFUSALS])
_REVIEWS = tuple([(rule.check, rule) for rule in REVIEWS])
_OVERRULING = tuple([rule for rule in REFUSALS if rule.overrules])
_REASONS = {code: Reason(code=code) for code in ReasonCode}
_FIRST = (Reviewer.GP, Reviewer.ASSISTANT, Reviewer.PHARMACY)
"""Who decides when several are to: the first of these."""

_NO_SIGNALS: tuple[Signal, ...] = ()
_CONTROL_DUE = (Signal.CONTROL_DUE,)


def decide(facts: Facts) -> Verdict:
    """Decide the outcome of a line, with its reasons."""
    return _verdict(holding(facts), facts)


def refusal(facts: Facts) -> Verdict | None:
    """The outcome and reasons of a line that cannot be supplied, whoever approves it; None when it can."""
    rules = tuple([rule for rule in _OVERRULING if rule.check(facts)])
    return _verdict(rules, facts) if rules else None


def holding(facts: Facts) -> tuple[Rule, ...]:
    """Every rule that holds for a line, not only the first; reviews only when no refusal holds."""
    found = [rule for check, rule in _REFUSALS if check(facts)]
    return tuple(found or [rule for check, rule in _REVIEWS if check(facts)])


def _verdict(rules: Sequence[Rule], facts: Facts) -> Verdict:
    signals = _CONTROL_DUE if reviews.control_due(facts) else _NO_SIGNALS
    if not rules:
        return Verdict(Outcome.APPROVED, (), None, signals)
    outcome = _outcome(rules)
    reviewer = _reviewer(rules, facts) if outcome is Outcome.REVIEW else None
    reasons = [_reason(rule, facts) for rule in rules if rule.code is not None]
    held = tuple([rule.name for rule in rules])
    return Verdict(outcome, tuple(reasons), reviewer, signals, held)


def _reason(rule: Rule, facts: Facts) -> Reason:
    assert rule.code is not None
    return rule.reason(facts) if rule.reason else _REASONS[rule.code]


def _reviewer(rules: Sequence[Rule], facts: Facts) -> Reviewer:
    asked = [rule.reviewer(facts) for rule in rules if rule.reviewer]
    return next(reviewer for reviewer in _FIRST if reviewer in asked)


def _outcome(rules: Sequence[Rule]) -> Outcome:
    """The outcome of rules that hold together: different outcomes make a refusal."""
    if len(rules) == 1:
        return rules[0].outcome
    outcomes = {rule.outcome for rule in rules}
    if Outcome.WAITING in outcomes and Outcome.REFUSED not in outcomes:
        return Outcome.WAITING
    return outcomes.pop() if len(outcomes) == 1 else Outcome.REFUSED
