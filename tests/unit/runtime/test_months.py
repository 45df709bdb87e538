"""A month in UTC, and what of it the law asks to keep."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from runtime.postgres.months import Month
from runtime.postgres.parts import KEEP_YEARS, first_to_keep

AMSTERDAM_IN_SUMMER = timezone(timedelta(hours=2))


@pytest.mark.parametrize(
    ("at", "month"),
    [
        (datetime(2026, 12, 31, 23, 59, 59, 999_999, UTC), Month(2026, 12)),
        (datetime(2027, 1, 1, tzinfo=UTC), Month(2027, 1)),
        (datetime(2026, 7, 1, 1, 59, tzinfo=AMSTERDAM_IN_SUMMER), Month(2026, 6)),
        (datetime(2026, 7, 1, 2, 0, tzinfo=AMSTERDAM_IN_SUMMER), Month(2026, 7)),
    ],
)
def test_a_moment_is_in_the_month_that_it_has_in_utc(at: datetime, month: Month) -> None:
    assert Month.of(at) == month


@pytest.mark.parametrize(
    ("months", "then"),
    [
        (0, Month(2026, 11)),
        (1, Month(2026, 12)),
        (2, Month(2027, 1)),
        (14, Month(2028, 1)),
        (-10, Month(2026, 1)),
        (-11, Month(2025, 12)),
        (-240, Month(2006, 11)),
    ],
)
def test_months_are_counted_over_the_ends_of_years(months: int, then: Month) -> None:
    assert Month(2026, 11).plus(months) == then
    assert then.plus(-months) == Month(2026, 11)


def test_a_month_ends_when_the_next_begins() -> None:
    assert Month(2026, 12).end == datetime(2027, 1, 1, tzinfo=UTC)
    assert Month(2028, 2).end - datetime(2028, 2, 1, tzinfo=UTC) == timedelta(days=29)
    assert Month(2026, 12).first == date(2026, 12, 1)


def test_a_month_is_read_as_it_is_written() -> None:
    assert str(Month.read("2006-01")) == "2006-01"
    assert Month.read("2006-09") < Month.read("2006-10") < Month.read("2007-01")


@pytest.mark.parametrize("text", ["2006", "2006-13", "2006-1", "0000-01", "2006-01-01", "x"])
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no month such as 2006-11"):
        Month.read(text)


@pytest.mark.parametrize(
    "now",
    [
        datetime(2026, 11, 29, 4, tzinfo=UTC),
        datetime(2026, 12, 1, tzinfo=UTC),
        datetime(2026, 11, 30, 23, 59, 59, 999_999, UTC),
        datetime(2028, 2, 29, tzinfo=UTC),
        datetime(2027, 1, 1, tzinfo=UTC),
    ],
)
def test_a_month_is_kept_until_its_end_is_twenty_years_ago(now: datetime) -> None:
    """Given a moment; then the last row of the newest month that may go is 20 years old, one more is not."""
    kept = first_to_keep(now)
    assert kept.end.replace(year=kept.end.year + KEEP_YEARS) > now
    gone = kept.plus(-1)
    assert gone.end.replace(year=gone.end.year + KEEP_YEARS) <= now
