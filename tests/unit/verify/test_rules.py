"""Each rule of the checker reports its defects, and a clean system breaks no rule."""

import re

import pytest

from tests.unit.verify.decision_defects import DECISION_DEFECTS
from tests.unit.verify.edit import EVENTS, Edit
from tests.unit.verify.history_defects import (
    begins_with_the_stop,
    in_history,
)
from tests.unit.verify.made import clean
from tests.unit.verify.rule_defects import DEFECTS
from verify.checker import RULES, check


def test_a_history_may_start_at_a_later_version() -> None:
    case = in_history(begins_with_the_stop)(clean())
    assert check(case.history, case.dump).by_rule["history_differs"] == []


def test_a_clean_system_breaks_no_rule() -> None:
    case = clean()
    verdict = check(case.history, case.dump)
    assert verdict.violations == ()
    assert verdict.clean


def test_a_dump_is_checked_without_a_history_too() -> None:
    verdict = check(None, clean().dump)
    assert verdict.clean
    assert (verdict.counts.sent, verdict.counts.acknowledged) == (42, 0)


def test_the_counts_of_a_clean_system() -> None:
    counts = check(clean().history, clean().dump).counts
    assert (counts.sent, counts.acknowledged, counts.unknown, counts.refused) == (45, 42, 2, 1)
    assert counts.decided == 42
    assert counts.raw_duplicates[EVENTS] == 2
    assert counts.dead_letters["ordering"] == {
        "unknown_order": 1,
        "order_conflict": 1,
        "bad_json": 1,
        "not_in_review": 1,
    }
    assert counts.dead_letters["medication"] == {"unknown_patient": 1}


ALL = [*DEFECTS, *DECISION_DEFECTS]

CONTENT = ("Metformine", "5487", "graag", "2x daags")
"""Content of records, which no finding may quote."""

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""May be quoted, and may hold the digits of a PRK code by chance."""


@pytest.mark.parametrize(
    ("rule", "what", "damage"), ALL, ids=lambda v: v if isinstance(v, str) else ""
)
def test_a_rule_reports_its_defect(rule: str, what: str, damage: Edit) -> None:
    case = damage(clean())
    verdict = check(case.history, case.dump)
    assert rule in {violation.rule for violation in verdict.violations}, what
    text = _ID.sub("", repr(verdict.violations))
    assert [word for word in CONTENT if word in text] == []


def test_every_rule_has_a_defect() -> None:
    assert {rule for rule, _, _ in ALL} == RULES.keys()
