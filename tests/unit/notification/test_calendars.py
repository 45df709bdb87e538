"""Dutch working days and the openings of pharmacies."""

from datetime import UTC, date, datetime, timedelta

import pytest
from opening_hours import OpeningHours

from schemas.records.directory import Closure
from schemas.times import AMSTERDAM
from services.notification.domain.calendars import (
    PharmacyCalendar,
    PracticeCalendar,
    expand,
    public_holidays,
    working_days,
)
from services.notification.domain.pickup import HORIZON_DAYS
from tests.unit.notification.made import a_pharmacy, a_practice, amsterdam


def _opened(hours: str, first: date, *closures: Closure, days: int = 3) -> list[str]:
    """The openings of the first days as `MM-DD HH:MM/HH:MM`, in Amsterdam time."""
    until = datetime.combine(first + timedelta(days=days), datetime.min.time(), AMSTERDAM)
    openings = [o for o in expand(a_pharmacy(hours, *closures), first) if o.start < until]
    return [
        f"{o.start.astimezone(AMSTERDAM):%m-%d %H:%M}/{o.end.astimezone(AMSTERDAM):%H:%M}"
        for o in openings
    ]


@pytest.mark.parametrize(
    ("day", "works"),
    [
        ("2026-11-23", True),
        ("2026-11-21", False),
        ("2026-12-24", True),
        ("2026-12-25", False),
        ("2027-01-01", False),
        ("2027-03-26", True),
        ("2027-03-29", False),
        ("2027-04-27", False),
        ("2027-05-05", True),
        ("2025-05-05", False),
        ("2027-05-06", False),
        ("2027-05-17", False),
    ],
)
def test_a_practice_works_monday_to_friday_except_on_the_dutch_public_holidays(
    day: str, works: bool
) -> None:
    assert working_days(a_practice())(date.fromisoformat(day)) is works


def test_a_practice_does_not_work_in_its_closures_first_and_last_day_included() -> None:
    works = working_days(a_practice(Closure(first=date(2026, 11, 24), last=date(2026, 11, 25))))
    assert [works(date(2026, 11, day)) for day in (23, 24, 25, 26)] == [True, False, False, True]


@pytest.mark.parametrize(
    ("hours", "days"),
    [
        ("Mo-Fr 08:00-17:00; PH off", "Mon Tue Wed Thu Fri"),
        ("Mo-Tu,Th-Fr 08:00-17:00", "Mon Tue Thu Fri"),
        ("Mo-Th 08:00-17:00; Fr off", "Mon Tue Wed Thu"),
        ("Mo-Fr 08:00-17:00; Sa 09:00-12:00", "Mon Tue Wed Thu Fri"),
        ("24/7", "Mon Tue Wed Thu Fri"),
        ('Mo-Fr 08:00-17:00; We 08:00-12:00 "alleen spoed"', "Mon Tue Thu Fri"),
        ("Mo-Fr 08:00-17:00; We unknown", "Mon Tue Thu Fri"),
        ("Mo-Fr 08:00-17:00; 2026 Nov 24 off", "Mon Wed Thu Fri"),
        ("Sa 09:00-12:00", ""),
        ("sunrise-sunset", ""),
    ],
)
def test_a_practice_works_on_the_weekdays_on_which_it_is_open_by_its_own_hours(
    hours: str, days: str
) -> None:
    works = working_days(a_practice(opening_hours=hours))
    week = [date(2026, 11, 23) + timedelta(days=n) for n in range(7)]
    assert " ".join(f"{day:%a}" for day in week if works(day)) == days


def test_a_public_holiday_is_no_working_day_whatever_the_hours_say() -> None:
    works = working_days(a_practice(opening_hours="Mo-Fr 08:00-17:00; PH 08:00-12:00"))
    assert (works(date(2026, 12, 24)), works(date(2026, 12, 25))) == (True, False)


def test_the_cached_working_days_are_those_of_the_current_entry() -> None:
    calendar, day = PracticeCalendar(), date(2026, 11, 24)
    before, after = a_practice(), a_practice(Closure(first=day, last=day))
    works = calendar.working_days(before)
    assert calendar.working_days(before) is works
    assert (works(day), calendar.working_days(after)(day)) == (True, False)
    assert calendar.working_days(before)(day)


@pytest.mark.parametrize("year", [2026, 2027, 2028, 2029])
def test_public_holidays_in_opening_hours_are_those_of_our_own_calendar(year: int) -> None:
    """The `opening_hours` library has holidays of its own, without Liberation Day (2025, 2030)."""
    hours = OpeningHours("24/7; PH off", timezone=AMSTERDAM, country="NL")
    days = [date(year, 1, 1) + timedelta(days=n) for n in range(365)]
    closed = {
        d for d in days if not hours.is_open(datetime(d.year, d.month, d.day, 12, tzinfo=AMSTERDAM))
    }
    assert closed == public_holidays(year)


def test_a_pharmacy_is_closed_at_lunch_and_on_public_holidays() -> None:
    hours = "Mo-Fr 08:30-12:30,13:30-17:30; PH off"
    assert _opened(hours, date(2026, 12, 24), days=5) == [
        "12-24 08:30/12:30",
        "12-24 13:30/17:30",
        "12-28 08:30/12:30",
        "12-28 13:30/17:30",
    ]


def test_an_opening_past_midnight_is_one_opening() -> None:
    assert _opened("Fr 20:00-02:00", date(2026, 11, 27)) == ["11-27 20:00/02:00"]


def test_an_opening_of_the_evening_before_still_counts() -> None:
    assert _opened("Fr 20:00-02:00", date(2026, 11, 28), days=1) == ["11-27 20:00/02:00"]


def test_an_opening_past_midnight_ends_where_a_closed_day_starts() -> None:
    closure = Closure(first=date(2026, 11, 28), last=date(2026, 11, 28))
    assert _opened("Fr 20:00-02:00", date(2026, 11, 27), closure) == ["11-27 20:00/00:00"]


def test_an_opening_that_starts_on_a_closed_day_is_left_out() -> None:
    closure = Closure(first=date(2026, 11, 27), last=date(2026, 11, 27))
    assert _opened("Fr 20:00-02:00", date(2026, 11, 27), closure) == []
    assert _opened("Fr 20:00-02:00", date(2026, 11, 28), closure) == []


def test_round_the_clock_is_an_opening_a_day() -> None:
    closure = Closure(first=date(2026, 11, 28), last=date(2026, 11, 28))
    assert _opened("24/7", date(2026, 11, 27), closure) == [
        "11-27 00:00/00:00",
        "11-29 00:00/00:00",
    ]


def test_the_night_in_which_summer_time_starts_is_an_hour_shorter() -> None:
    (night,) = expand(a_pharmacy("2026 Mar 28 22:00-06:00"), date(2026, 3, 28))
    assert night.end - night.start == timedelta(hours=7)


def test_the_night_in_which_summer_time_ends_is_an_hour_longer() -> None:
    (night,) = expand(a_pharmacy("2026 Oct 24 22:00-06:00"), date(2026, 10, 24))
    assert night.end - night.start == timedelta(hours=9)


def test_round_the_clock_leaves_no_gap_when_summer_time_ends() -> None:
    days = list(expand(a_pharmacy("24/7"), date(2026, 10, 24)))[:3]
    assert [o.end - o.start for o in days][1] == timedelta(hours=25)
    assert days[0].end == days[1].start == amsterdam("2026-10-25 00:00").astimezone(UTC)


def test_the_last_day_of_the_horizon_may_be_the_one_of_25_hours() -> None:
    openings = list(expand(a_pharmacy("24/7"), date(2027, 9, 2)))
    assert len(openings) == HORIZON_DAYS
    assert openings[-1].end - openings[-1].start == timedelta(hours=25)


def test_an_hour_that_summer_time_skips_is_no_opening() -> None:
    assert _opened("Mo-Su 02:15-02:45", date(2026, 3, 29), days=2) == ["03-30 02:15/02:45"]


def test_hours_with_the_state_unknown_do_not_count() -> None:
    assert _opened('Mo-Fr 09:00-12:00 unknown "op afspraak"', date(2026, 11, 23)) == []


def test_hours_with_a_comment_do_not_count() -> None:
    assert _opened('Mo-Fr 09:00-12:00 "alleen spoed"; We 13:00-17:00', date(2026, 11, 23)) == [
        "11-25 13:00/17:00"
    ]


def test_hours_after_a_fallback_leave_the_openings_before_it_alone() -> None:
    hours = 'Mo 12:00-24:00; Tu 08:00-10:00 || "bel aan"'
    assert _opened(hours, date(2026, 11, 30), days=8) == [
        "11-30 12:00/00:00",
        "12-01 08:00/10:00",
        "12-07 12:00/00:00",
    ]


def test_an_opening_that_ends_in_the_repeated_hour_ends_the_first_time() -> None:
    (night,) = expand(a_pharmacy("2026 Oct 24 22:00-26:30"), date(2026, 10, 24))
    assert night.end == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_openings_are_computed_again_when_the_entry_changes() -> None:
    calendar, day = PharmacyCalendar(), date(2026, 11, 23)
    before = calendar.openings(a_pharmacy("Mo 09:00-10:00"))(day)
    assert calendar.openings(a_pharmacy("Mo 09:00-10:00"))(day) is before
    assert calendar.openings(a_pharmacy("Mo 11:00-12:00", version=2))(day) != before


def test_openings_reach_to_the_horizon() -> None:
    openings = list(expand(a_pharmacy("24/7"), date(2026, 11, 23)))
    assert len(openings) == HORIZON_DAYS
