"""The table of rules on the facts of one line: no order, no record."""

from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from schemas.reasons import ReasonCode
from schemas.records.directory import Policy
from schemas.records.medication import Status
from schemas.records.orders import OrderLine, Outcome
from services.ordering.domain.overview import Entry, read_overview
from services.ordering.domain.rules import REFUSALS, REVIEWS, RULES, Facts, decide, holding
from tests.harness import made
from tests.harness.made import METFORMINE, PRACTICE
from tests.unit.ordering.story import overview, pharmacy

HIGH_RISK = ReasonCode.HIGH_RISK_MEDICATION


def facts(**changes: Any) -> Facts:
    """Chronic metformine in the usual quantity: no rule holds."""
    fields: dict[str, Any] = {
        "asked": asked(),
        "entry": entry(),
        "practice": PRACTICE,
        "registered_at": PRACTICE,
        "pharmacy": pharmacy(),
        "policy": Policy(),
        "at": datetime(2026, 11, 28, 12, tzinfo=UTC),
        "together": Decimal(180),
    }
    return Facts(**(fields | changes))


def entry(*, incomplete: bool = False, **changes: Any) -> Entry:
    """Chronic metformine as ordering keeps it."""
    (kept,) = read_overview(overview(made.entry(**changes))).medications
    return replace(kept, incomplete=incomplete)


def asked(medicine: str = METFORMINE[1]) -> OrderLine:
    """A line for metformine under this name."""
    return OrderLine(line=1, prk=METFORMINE[0], medicine=medicine, quantity=Decimal(180))


def codes(line: Facts) -> list[ReasonCode | None]:
    """The codes of the rules that hold."""
    return [rule.code for rule in holding(line)]


ONE_EACH: dict[ReasonCode | None, dict[str, Any]] = {
    ReasonCode.OTHER_PRACTICE: {"registered_at": "01999002"},
    ReasonCode.UNKNOWN_PHARMACY: {"pharmacy": None},
    ReasonCode.STATUS_NOT_KNOWN_YET: {"registered_at": None, "entry": None},
    ReasonCode.NOT_IN_OVERVIEW: {"entry": None},
    ReasonCode.TEMPORARY_MEDICATION: {"entry": entry(status=Status.TEMPORARY)},
    ReasonCode.STOPPED_MEDICATION: {"entry": entry(status=Status.STOPPED)},
    ReasonCode.COVERED_BY_REPEAT_SERVICE: {"entry": entry(repeat_service=True)},
    ReasonCode.HIGH_RISK_MEDICATION: {"entry": entry(high_risk=True)},
    ReasonCode.REMARK_NEEDS_READING: {"remark": "graag witte doosjes"},
    ReasonCode.LARGER_SUPPLY: {"supply_until": date(2027, 2, 1)},
    ReasonCode.QUANTITY_ABOVE_LIMIT: {"together": Decimal("180.5")},
    ReasonCode.NAME_CONTRADICTS_CODE: {"asked": asked("Oxycodon tablet mga 80 mg")},
    ReasonCode.OVERVIEW_INCOMPLETE: {"entry": entry(incomplete=True)},
    ReasonCode.MEDICINE_TWICE: {"lines": 2},
    ReasonCode.OTHER_REPEAT_SERVICE: {
        "entry": entry(repeat_service=True),
        "pharmacy": pharmacy(repeat_service=False),
    },
    ReasonCode.SUPPLY_DATE_PASSED: {"supply_until": date(2026, 11, 27)},
    None: {"policy": Policy(review_everything=True)},
}
"""For each rule the facts for which it holds alone."""


def test_a_line_for_which_no_rule_holds_is_approved() -> None:
    assert codes(facts()) == []
    assert decide(facts()).outcome is Outcome.APPROVED


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule.code))
def test_a_single_rule_leads_to_its_own_outcome(rule: Any) -> None:
    line = facts(**ONE_EACH[rule.code])
    verdict = decide(line)
    assert codes(line) == [rule.code]
    assert verdict.outcome is rule.outcome
    assert [reason.code for reason in verdict.reasons] == ([rule.code] if rule.code else [])


def test_each_rule_is_in_the_table_once_with_a_version() -> None:
    assert max(Counter(rule.code for rule in RULES).values()) == 1
    assert {rule.code for rule in RULES} == ONE_EACH.keys()
    assert all(rule.version >= 1 for rule in RULES)


def test_refusals_never_review_and_reviews_do_nothing_else() -> None:
    assert {rule.outcome for rule in REVIEWS} == {Outcome.REVIEW}
    assert Outcome.REVIEW not in {rule.outcome for rule in REFUSALS}


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.CHRONIC])
def test_medication_of_every_status_but_chronic_is_refused(status: Status) -> None:
    """A new status needs a new rule."""
    assert decide(facts(entry=entry(status=status))).outcome is Outcome.REFUSED


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule.code))
@pytest.mark.parametrize("lacks", [{}, {"entry": None}, {"entry": None, "registered_at": None}])
def test_every_rule_can_be_checked_whatever_facts_are_missing(
    rule: Any, lacks: dict[str, Any]
) -> None:
    """An explanation checks all rules, also those that a decision does not reach."""
    assert isinstance(rule.check(facts(**lacks)), bool)


def test_reasons_come_in_the_order_of_the_table() -> None:
    line = facts(
        entry=entry(status=Status.STOPPED, repeat_service=True),
        registered_at="01999002",
        pharmacy=None,
    )
    assert codes(line) == [
        ReasonCode.OTHER_PRACTICE,
        ReasonCode.UNKNOWN_PHARMACY,
        ReasonCode.STOPPED_MEDICATION,
        ReasonCode.COVERED_BY_REPEAT_SERVICE,
    ]


def test_another_policy_can_be_tried_out_on_the_same_line() -> None:
    changes = {"entry": entry(high_risk=True)}
    assert codes(facts(**changes)) == [HIGH_RISK]
    assert codes(facts(**changes, policy=Policy(review_high_risk=False))) == []


def test_the_orderable_medication_is_decided_without_an_order() -> None:
    """For each medicine of the overview, in the usual quantity."""
    overview = [entry(), entry(high_risk=True), entry(status=Status.STOPPED)]
    outcomes = [decide(facts(asked=medicine, entry=medicine)).outcome for medicine in overview]
    assert outcomes == [Outcome.APPROVED, Outcome.REVIEW, Outcome.REFUSED]
