"""How long supplies last, to the day."""

from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest
from hypothesis import example
from hypothesis import given as for_all
from hypothesis import strategies as st

from schemas.coverage import Supply, covered_until, earliest_date
from schemas.times import local_date

MARGIN, SHARE = 14, 25


def supply(on: str, days: int) -> Supply:
    return Supply(date.fromisoformat(on), days)


def earliest(until: date | None, days: int) -> date:
    assert until is not None
    return earliest_date(until, days, MARGIN, SHARE)


def test_the_day_of_supply_is_the_first_day_that_is_covered() -> None:
    """H15: given 90 days on Tue 1 Sep 2026; then covered until Sun 29 Nov, and earliest on Sun 15 Nov."""
    until = covered_until([supply("2026-09-01", 90)])
    assert until == date(2026, 11, 29)
    assert earliest(until, 90) == date(2026, 11, 15)


@pytest.mark.parametrize(
    ("moment", "is_too_early"),
    [
        (datetime(2026, 11, 14, 22, 59, tzinfo=UTC), True),  # Sat 14 Nov 23:59 in Amsterdam
        (datetime(2026, 11, 14, 23, 1, tzinfo=UTC), False),  # Sun 15 Nov 00:01
    ],
)
def test_the_earliest_day_begins_at_midnight_in_amsterdam(
    moment: datetime, is_too_early: bool
) -> None:
    """H15: given an earliest date of 15 Nov; when ordered a minute before or after its midnight."""
    until = covered_until([supply("2026-09-01", 90)])
    assert (local_date(moment) < earliest(until, 90)) is is_too_early


@pytest.mark.parametrize(
    ("days", "margin"), [(90, 14), (60, 14), (56, 14), (55, 13), (30, 7), (15, 3), (4, 1), (3, 0)]
)
def test_the_margin_is_at_most_a_share_of_the_supply(days: int, margin: int) -> None:
    until = date(2026, 11, 29)
    assert earliest(until, days) == until - timedelta(margin)


def test_a_supply_is_used_after_the_stock_that_is_left() -> None:
    """H16: given 90 days on Mon 1 Jun and on Mon 17 Aug 2026, with 13 days unused on that morning."""
    until = covered_until([supply("2026-06-01", 90), supply("2026-08-17", 90)])
    assert until == date(2026, 11, 27)
    assert earliest(until, 90) == date(2026, 11, 13)
    assert date(2026, 11, 2) < earliest(until, 90)
    alone = covered_until([supply("2026-08-17", 90)])
    assert earliest(alone, 90) == date(2026, 10, 31)


def test_older_supplies_that_were_used_up_change_nothing() -> None:
    """H16: given 40 supplies of 90 days before, one after another, the last until 31 May 2026."""
    older = [Supply(date(2026, 6, 1) - timedelta(90 * n), 90) for n in range(1, 41)]
    newer = [supply("2026-06-01", 90), supply("2026-08-17", 90)]
    assert covered_until(older + newer) == covered_until(newer) == date(2026, 11, 27)


def test_a_gap_is_not_filled_afterwards() -> None:
    """Given 30 days in January and 30 in June; then covered until the end of the second alone."""
    assert covered_until([supply("2026-01-01", 30), supply("2026-06-01", 30)]) == date(2026, 6, 30)


def test_two_supplies_on_one_day_follow_each_other() -> None:
    assert covered_until([supply("2026-06-01", 30)] * 2) == date(2026, 7, 30)


def test_without_a_supply_nothing_is_known() -> None:
    assert covered_until([]) is None
    assert covered_until([supply("2026-06-01", 0)]) is None


@pytest.mark.parametrize(
    ("first", "until"),
    [
        ("2026-01-02", date(2026, 9, 28)),  # 180 days before: 90 + 150 + 30 days from 2 Jan
        ("2026-01-01", date(2026, 8, 28)),  # 181 days: the stock that was there, 90 + 150 days
    ],
)
def test_stock_from_before_the_lookback_is_not_carried(first: str, until: date) -> None:
    """Given 90 days at the start of January, 150 on 1 Feb and 30 on 1 Jul 2026.

    When the first came 181 days before the last, then the last finds only the stock of the second.
    """
    supplies = [supply(first, 90), supply("2026-02-01", 150), supply("2026-07-01", 30)]
    assert covered_until(supplies) == until


def test_collecting_too_soon_for_years_does_not_add_up() -> None:
    """Given 90 days every 60 days for ten years; then only what came in 180 days is in stock."""
    supplies = [Supply(date(2016, 1, 1) + timedelta(60 * n), 90) for n in range(60)]
    newest = supplies[-1].on
    assert covered_until(supplies) == newest + timedelta(4 * 90 - 180 - 1)
    assert covered_until(supplies, lookback_days=100_000) == supplies[0].on + timedelta(60 * 90 - 1)


def test_a_long_supply_is_not_forgotten_for_a_small_one() -> None:
    """Given 365 days on 1 Jan, for a journey; when 7 days come on 1 Sep; then the year is covered still."""
    assert covered_until([supply("2026-01-01", 365), supply("2026-09-01", 7)]) == date(2026, 12, 31)


@pytest.mark.parametrize(
    ("on", "days", "until"),
    [
        ("2026-03-28", 2, date(2026, 3, 29)),  # summer time begins on the 29th
        ("2026-10-24", 2, date(2026, 10, 25)),  # and ends on the 25th
        ("2026-10-25", 1, date(2026, 10, 25)),
        ("2026-12-31", 2, date(2027, 1, 1)),
        ("2028-02-28", 2, date(2028, 2, 29)),
        ("2027-02-28", 2, date(2027, 3, 1)),
        ("2028-02-29", 366, date(2029, 2, 28)),
    ],
)
def test_no_clock_change_new_year_or_leap_day_moves_an_end(on: str, days: int, until: date) -> None:
    assert covered_until([supply(on, days)]) == until


def test_a_day_outside_the_calendar_becomes_its_last_or_first() -> None:
    assert covered_until([supply("2026-01-01", 10**9)]) == date.max
    assert covered_until([Supply(date.max, 1)] * 3) == date.max
    assert earliest_date(date(1, 1, 3), 90, 14, 25) == date.min


days_of_year = st.dates(date(2025, 1, 1), date(2027, 12, 31))
supplies = st.builds(Supply, days_of_year, st.integers(1, 400))
histories = st.lists(supplies, min_size=1, max_size=15)


@for_all(histories, st.randoms())
def test_the_order_of_supplies_does_not_matter(history: list[Supply], random: Random) -> None:
    shuffled = random.sample(history, len(history))
    assert covered_until(shuffled) == covered_until(history)


@for_all(histories, supplies, st.integers(0, 400))
@example([supply("2026-01-01", 400), supply("2026-06-29", 10)], supply("2026-07-10", 1), 180)
def test_one_more_supply_never_ends_earlier(
    history: list[Supply], more: Supply, lookback: int
) -> None:
    before = covered_until(history, lookback_days=lookback)
    after = covered_until([*history, more], lookback_days=lookback)
    assert before is not None
    assert after is not None
    assert after >= before


@for_all(histories, st.integers(0, 400))
def test_no_supply_ends_before_its_own_days_are_over(history: list[Supply], lookback: int) -> None:
    until = covered_until(history, lookback_days=lookback)
    assert until is not None
    assert all(until >= on + timedelta(days - 1) for on, days in history)


def taken_daily(history: list[Supply]) -> date:
    """The last day on which something is taken, by taking it day after day."""
    stock, today, last = 0, min(history).on, date.min
    while stock or any(on >= today for on, _ in history):
        stock += sum(days for on, days in history if on == today)
        if stock:
            stock, last = stock - 1, today
        today += timedelta(1)
    return last


@for_all(st.lists(st.builds(Supply, days_of_year, st.integers(1, 40)), min_size=1, max_size=6))
def test_all_stock_is_taken_day_after_day(history: list[Supply]) -> None:
    assert covered_until(history, lookback_days=10_000) == taken_daily(history)


@for_all(days_of_year, st.integers(1, 3650), st.integers(0, 365), st.integers(0, 100))
def test_the_earliest_day_is_in_the_share_that_is_left(
    until: date, days: int, margin: int, share: int
) -> None:
    """The earliest day is never after the last day with supply, and never more than the margin before it."""
    first = earliest_date(until, days, margin, share)
    left = (until - first).days
    assert 0 <= left <= margin
    assert left * 100 <= days * share
    assert left == margin or (left + 1) * 100 > days * share
