"""Periods: no gaps, no overlap, and their labels."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.api.metrics import By
from services.metrics.domain.periods import label, periods


@pytest.mark.parametrize(
    ("day", "by", "expected"),
    [
        (date(2026, 11, 23), By.DAY, "2026-11-23"),
        (date(2026, 11, 23), By.WEEK, "2026-W48"),
        (date(2026, 11, 23), By.MONTH, "2026-11"),
        (date(2026, 11, 23), By.QUARTER, "2026-Q4"),
        (date(2026, 1, 1), By.WEEK, "2026-W01"),
        (date(2027, 1, 1), By.WEEK, "2026-W53"),
        (date(2024, 12, 30), By.WEEK, "2025-W01"),
        (date(2026, 3, 31), By.QUARTER, "2026-Q1"),
        (date(2026, 4, 1), By.QUARTER, "2026-Q2"),
        (date(1, 1, 1), By.MONTH, "0001-01"),
    ],
)
def test_labels(day: date, by: By, expected: str) -> None:
    assert label(day, by) == expected


def test_the_first_and_last_period_have_only_the_requested_days() -> None:
    shown = list(periods(date(2026, 11, 12), date(2027, 1, 5), By.MONTH))

    assert [(p.label, p.first, p.last) for p in shown] == [
        ("2026-11", date(2026, 11, 12), date(2026, 11, 30)),
        ("2026-12", date(2026, 12, 1), date(2026, 12, 31)),
        ("2027-01", date(2027, 1, 1), date(2027, 1, 5)),
    ]
    assert [p.start for p in shown] == [date(2026, 11, 1), date(2026, 12, 1), date(2027, 1, 1)]


def test_weeks_over_new_year_begin_on_monday() -> None:
    shown = list(periods(date(2026, 12, 28), date(2027, 1, 10), By.WEEK))

    assert [(p.label, p.start) for p in shown] == [
        ("2026-W53", date(2026, 12, 28)),
        ("2027-W01", date(2027, 1, 4)),
    ]


@pytest.mark.parametrize("by", By)
def test_periods_reach_the_first_and_the_last_day_of_the_calendar(by: By) -> None:
    assert len(list(periods(date.min, date.min, by))) == 1
    assert list(periods(date(9999, 12, 30), date.max, by))[-1].last == date.max


days = st.dates(date(1990, 1, 1), date(2100, 1, 1))


@given(days, st.integers(0, 800), st.sampled_from(By))
def test_every_day_is_in_exactly_one_period_with_its_label(
    first: date, length: int, by: By
) -> None:
    last = first + timedelta(days=length)
    shown = list(periods(first, last, by))

    assert (shown[0].first, shown[-1].last) == (first, last)
    assert all(a.last + timedelta(days=1) == b.first for a, b in pairwise(shown))
    assert len({p.label for p in shown}) == len({p.start for p in shown}) == len(shown)
    for period in shown:
        assert label(period.first, by) == label(period.last, by) == period.label
        assert period.start <= period.first <= period.last
