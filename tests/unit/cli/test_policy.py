"""A file with a policy: what it says, and each thing that is wrong in it on its line."""

from datetime import date, time
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from cli.console import UserError
from cli.policy.file import read_policy
from cli.policy.show import HELD, show
from schemas.records.directory import Approver, AutoApprove, OrderHours, Policy
from services.ordering.trials.period import months_before
from tests.harness.made import METFORMINE, PRACTICE, an_order
from tests.unit.ordering.story import ANNA, given, overview
from tests.unit.ordering.trial_story import tried


def written(tmp_path: Path, text: str) -> Path:
    """A file with this text."""
    file = tmp_path / "policy.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_file_says_what_differs_from_the_defaults(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        "auto_approve: all_plain\nmost_times_usual: 1.5\n"
        "order_hours:\n  days: [Mo, Tu]\n  first: 08:00\n  last: 17:00\n",
    )
    assert read_policy(file) == Policy.model_validate_json(
        '{"auto_approve": "all_plain", "most_times_usual": 1.5, "order_hours":'
        ' {"days": ["Mo", "Tu"], "first": "08:00", "last": "17:00"}}'
    )
    assert read_policy(file).auto_approve is AutoApprove.ALL_PLAIN
    assert read_policy(file).order_hours == OrderHours(
        days=("Mo", "Tu"), first=time(8), last=time(17)
    )


def test_a_file_without_keys_is_the_default_policy(tmp_path: Path) -> None:
    assert read_policy(written(tmp_path, "{}\n")) == Policy()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("auto_aprove: never", "1: auto_aprove: is no known key; did you mean auto_approve?"),
        ("lines_at_most: 3\ntoo_early_days: veel", "2: too_early_days: must be a whole number"),
        ("approver: gp\napprover: gp", "2: approver: is there already, on line 1"),
        ("order_hours:\n  from: 08:00", "2: order_hours.from: is no known key"),
        ("# as usual", "1: must have the keys of a policy"),
        ("- approver", "1: must have the keys of a policy"),
        ("approver: [gp", "1: "),
    ],
)
def test_each_error_names_its_line(tmp_path: Path, text: str, said: str) -> None:
    file = written(tmp_path, text)
    with pytest.raises(UserError) as wrong:
        read_policy(file)
    assert f"{wrong.value}".startswith(f"{file}:{said}")


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        read_policy(tmp_path / "none.yaml")


def test_numbers_are_printed_and_nobody() -> None:
    """Given a line that a GP would have to approve; then it is one more in review, and no medicine is named."""
    trial = tried(given(overview()).when(an_order(ANNA)), Policy(approver=Approver.GP))
    printed = StringIO()
    show(trial, PRACTICE, date(2025, 11, 29), Console(file=printed, width=100))
    said = printed.getvalue()
    assert "1 lines change: +1 in review, +0 refused, -1 approved" in said
    assert "approved → review" in said
    assert HELD in said
    assert ANNA not in said
    assert METFORMINE[1] not in said


@pytest.mark.parametrize(
    ("day", "months", "before"),
    [
        (date(2026, 11, 29), 12, date(2025, 11, 29)),
        (date(2026, 3, 31), 1, date(2026, 2, 28)),
        (date(2026, 1, 1), 24, date(2024, 1, 1)),
    ],
)
def test_months_go_back_to_the_same_day(day: date, months: int, before: date) -> None:
    assert months_before(day, months) == before
