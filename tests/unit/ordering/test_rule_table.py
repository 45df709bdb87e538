"""The table of rules on the facts of one line: no order, no record."""

import hashlib
from collections import Counter
from itertools import combinations

import pytest

from schemas.reasons import ReasonCode
from schemas.records.medication import Status
from schemas.records.orders import Outcome
from services.ordering.domain.rules import REFUSALS, REVIEWS, RULES, VERSION, decide, holding
from tests.unit.ordering.line_facts import ALSO, HOLDS, Changes, facts, together
from tests.unit.schemas import test_sizes

BY_NAME = {rule.name: rule for rule in RULES}
NAMES = [rule.name for rule in RULES]
_OF_THE_ENTRY = (
    "temporary stopped covered_by_repeat_service authorisation_ended overview_incomplete"
    " other_repeat_service control_long_overdue from_a_specialist authorisation_to_renew"
    " not_authorised packed_by_the_week"
)
_NEVER_TOGETHER = {
    "registered_elsewhere": "overview_not_arrived",
    "overview_not_arrived": f"not_in_overview {_OF_THE_ENTRY}",
    "not_in_overview": _OF_THE_ENTRY,
    "temporary": "stopped",
    "covered_by_repeat_service": "pharmacy_not_connected other_repeat_service",
    "too_early": "remark_not_allowed remark_too_long supply_date_passed too_early_with_a_reason"
    " high_risk remark_to_read larger_supply",
    "authorisation_ended": "from_a_specialist authorisation_to_renew not_authorised",
    "remark_not_allowed": "remark_missing",
    "remark_missing": "remark_too_long remark_to_read",
    "pharmacy_not_connected": "other_repeat_service",
    "supply_date_passed": "larger_supply",
    "too_early_with_a_reason": "high_risk",
    "from_a_specialist": "authorisation_to_renew not_authorised",
    "authorisation_to_renew": "not_authorised",
}
EXCLUDED = {(one, other) for one, others in _NEVER_TOGETHER.items() for other in others.split()}
"""Pairs of rules that do not hold at once on the facts of `HOLDS`."""

VERSIONS = {2: "68847bf3"}
"""The beginning of a digest of the rules, by version of the table: a changed rule needs a new version."""


def names(changes: Changes | None) -> list[str]:
    """The names of the rules that hold."""
    return [rule.name for rule in holding(facts(changes))]


def held_with(*rules: str) -> set[str]:
    """The rules that hold when these are made to, with those that cannot be absent then."""
    return {also for rule in rules for also in (rule, *ALSO.get(rule, ()))}


def test_a_line_for_which_no_rule_holds_is_approved() -> None:
    assert names(None) == []
    assert decide(facts()).outcome is Outcome.APPROVED


@pytest.mark.parametrize("name", NAMES)
def test_a_single_rule_leads_to_its_own_outcome(name: str) -> None:
    rule, verdict = BY_NAME[name], decide(facts(HOLDS[name]))
    assert {*names(HOLDS[name])} == held_with(name) == {*verdict.held}
    assert verdict.outcome is rule.outcome
    assert rule.code is None or rule.code in [reason.code for reason in verdict.reasons]
    assert (verdict.reviewer is not None) == (rule.outcome is Outcome.REVIEW)


@pytest.mark.parametrize(
    ("one", "other"), [pair for pair in combinations(NAMES, 2) if pair not in EXCLUDED]
)
def test_of_two_rules_both_hold_but_what_is_refused_is_not_reviewed(one: str, other: str) -> None:
    changes = together(HOLDS[one], HOLDS[other])
    assert changes is not None
    refusing = {name for name in (one, other) if BY_NAME[name] in REFUSALS}
    assert {*names(changes)} == (refusing or held_with(one, other))
    verdict = decide(facts(changes))
    rules = [BY_NAME[name] for name in names(changes)]
    assert [reason.code for reason in verdict.reasons] == [r.code for r in rules if r.code]
    assert verdict.outcome is outcome_of({rule.outcome for rule in rules})


def outcome_of(outcomes: set[Outcome]) -> Outcome:
    """The outcome of rules that hold together: the only one, or waiting, or else refused."""
    if len(outcomes) == 1:
        return outcomes.pop()
    waits = Outcome.WAITING in outcomes and Outcome.REFUSED not in outcomes
    return Outcome.WAITING if waits else Outcome.REFUSED


@pytest.mark.parametrize(("one", "other"), sorted(EXCLUDED))
def test_the_pairs_left_out_contradict_each_other(one: str, other: str) -> None:
    changes = together(HOLDS[one], HOLDS[other])
    assert changes is None or not {one, other} <= {*names(changes)}


def test_each_rule_has_its_own_name_a_version_and_facts_in_these_tests() -> None:
    assert max(Counter(NAMES).values()) == 1
    assert {*NAMES} == HOLDS.keys()
    assert all(rule.version >= 1 for rule in RULES)


def test_every_reason_is_given_by_a_rule_or_by_the_timer() -> None:
    given = {rule.code for rule in RULES}
    assert {*ReasonCode} - given == {ReasonCode.UNKNOWN_PATIENT}


def test_a_changed_rule_raises_the_version_of_the_table() -> None:
    """Given the rules' names, versions and outcomes; then their digest is that of this version."""
    rules = ";".join(f"{rule.name} {rule.version} {rule.outcome}" for rule in RULES)
    assert hashlib.sha256(rules.encode()).hexdigest().startswith(VERSIONS[VERSION]), rules


def test_a_line_has_no_more_reasons_than_a_record_has_room_for() -> None:
    assert max(len(REFUSALS), len(REVIEWS)) <= test_sizes.ITEMS["reasons"]


def test_refusals_never_review_and_reviews_do_nothing_else() -> None:
    assert {rule.outcome for rule in REVIEWS} == {Outcome.REVIEW}
    assert Outcome.REVIEW not in {rule.outcome for rule in REFUSALS}


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.CHRONIC])
def test_medication_of_every_status_but_chronic_is_refused(status: Status) -> None:
    """A new status needs a new rule."""
    assert decide(facts({"entry": {"status": status}})).outcome is Outcome.REFUSED


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "lacks",
    [{}, {"line": {"entry": None}}, {"line": {"entry": None}, "known": {"registered_at": None}}],
    ids=["nothing", "entry", "overview"],
)
def test_every_rule_can_be_checked_whatever_facts_are_missing(name: str, lacks: Changes) -> None:
    """An explanation checks all rules, also those that a decision does not reach."""
    assert isinstance(BY_NAME[name].check(facts(lacks)), bool)
