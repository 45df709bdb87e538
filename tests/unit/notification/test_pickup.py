"""The pickup window: the practice's processing rule, then the pharmacy's hours."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.records.directory import Closure, Processing
from schemas.times import AMSTERDAM
from services.notification.domain.calendars import expand
from services.notification.domain.pickup import (
    HORIZON_DAYS,
    SHORTEST,
    Opening,
    Window,
    first_window,
    pickup_window,
    rule_text,
)
from tests.unit.notification.made import a_pharmacy, a_practice, amsterdam, calendar_of


def _window(
    decided: str,
    hours: str,
    *closures: Closure,
    rule: Processing | None = None,
    practice_hours: str = "Mo-Fr 08:00-17:00; PH off",
) -> str:
    practice = a_practice(processing=rule or _rule(), opening_hours=practice_hours)
    window = pickup_window(
        amsterdam(decided),
        practice.processing,
        calendar_of(practice, a_pharmacy(hours, *closures)),
    )
    return f"{window.start:%m-%d %H:%M}/{window.until:%m-%d %H:%M}" if window else "no promise"


def _rule(cutoff: time = time(11), days: int = 2, ready: time = time(15, 30)) -> Processing:
    return Processing(cutoff=cutoff, working_days=days, ready_from=ready)


OFFICE = "Mo-Fr 08:30-17:30; PH off"


@pytest.mark.parametrize(
    ("decided", "window"),
    [
        ("2026-11-23 10:59", "11-25 15:30/11-25 17:30"),
        ("2026-11-23 11:00", "11-26 15:30/11-26 17:30"),
        ("2026-11-20 09:00", "11-24 15:30/11-24 17:30"),
        ("2026-11-21 09:00", "11-25 15:30/11-25 17:30"),
        ("2026-12-23 12:00", "12-29 15:30/12-29 17:30"),
        ("2026-12-24 09:00", "12-29 15:30/12-29 17:30"),
        ("2027-05-05 09:00", "05-10 15:30/05-10 17:30"),
    ],
)
def test_before_the_cutoff_counts_from_today_otherwise_from_the_next_working_day(
    decided: str, window: str
) -> None:
    assert _window(decided, OFFICE) == window


def test_christmas_eve_before_the_cutoff_with_one_working_day_is_the_28th() -> None:
    assert _window("2026-12-24 09:00", OFFICE, rule=_rule(days=1)) == "12-28 15:30/12-28 17:30"


def test_the_same_day_is_possible_and_never_before_the_decision() -> None:
    rule = _rule(cutoff=time(23), days=0, ready=time(9))
    assert _window("2026-11-23 10:17", OFFICE, rule=rule) == "11-23 10:17/11-23 17:30"


def test_less_than_half_an_hour_left_means_the_next_opening() -> None:
    assert _window("2026-11-23 09:00", "Mo-Fr 08:30-15:59") == "11-26 08:30/11-26 15:59"
    assert _window("2026-11-23 09:00", "Mo-Fr 08:30-16:00") == "11-25 15:30/11-25 16:00"


def test_a_pharmacy_that_is_closed_that_day_gives_its_next_opening() -> None:
    closure = Closure(first=date(2026, 11, 25), last=date(2026, 11, 26))
    assert _window("2026-11-23 09:00", OFFICE, closure) == "11-27 08:30/11-27 17:30"


@pytest.mark.parametrize(
    "saturday", ['Sa "op afspraak"', 'Sa 09:00-12:00 "alleen spoed"', "Sa unknown", "Sa off"]
)
def test_hours_with_a_comment_are_no_opening_to_collect_in(saturday: str) -> None:
    hours = f"Mo-Fr 08:30-17:30; {saturday}; PH off"
    rule = _rule(days=4, ready=time(17, 15))
    assert _window("2026-11-30 10:00", hours, rule=rule) == "12-07 08:30/12-07 17:30"


@pytest.mark.parametrize(
    ("decided", "window"),
    [
        ("2026-11-30 10:00", "12-03 15:30/12-03 17:30"),
        ("2026-12-01 11:30", "12-07 15:30/12-07 17:30"),
        ("2026-12-02 09:00", "12-07 15:30/12-07 17:30"),
    ],
)
def test_a_weekday_on_which_the_practice_is_closed_is_not_counted(
    decided: str, window: str
) -> None:
    """Closed on Wednesdays: decided on one, it counts from Thursday."""
    hours = "Mo-Tu,Th-Fr 08:00-17:00"
    assert _window(decided, OFFICE, practice_hours=hours) == window


def test_a_saturday_is_not_counted_though_the_practice_is_open() -> None:
    hours = "Mo-Fr 08:00-17:00; Sa 09:00-12:00"
    assert _window("2026-11-28 10:00", OFFICE, practice_hours=hours) == "12-02 15:30/12-02 17:30"


def test_round_the_clock_ends_at_midnight() -> None:
    assert _window("2026-11-23 09:00", "24/7") == "11-25 15:30/11-26 00:00"


def test_a_pharmacy_open_past_midnight_is_open_until_then() -> None:
    assert _window("2026-11-23 09:00", "Mo-Su 20:00-02:00") == "11-25 20:00/11-26 02:00"


def test_nothing_is_promised_without_an_opening_within_the_horizon() -> None:
    assert _window("2026-11-23 09:00", "2027 Jun 01 09:00-12:00") == "no promise"


def test_nothing_is_promised_while_the_practice_does_not_work() -> None:
    practice = a_practice(Closure(first=date(2026, 11, 1), last=date(2027, 11, 1)))
    calendar = calendar_of(practice, a_pharmacy())
    assert pickup_window(amsterdam("2026-11-23 09:00"), practice.processing, calendar) is None


def test_the_cutoff_is_a_dutch_time_in_summer_too() -> None:
    assert _window("2026-07-06 10:59", OFFICE) == "07-08 15:30/07-08 17:30"
    assert _window("2026-07-06 11:00", OFFICE) == "07-09 15:30/07-09 17:30"


def test_the_rule_is_named_as_the_practice_and_version_it_comes_from() -> None:
    assert rule_text(a_practice()) == "practice 01999001 v3: before 11:00, 2 working days"
    one = a_practice(processing=_rule(days=1))
    assert rule_text(one).endswith("before 11:00, 1 working day")


def test_half_an_hour_is_elapsed_time_not_wall_clock_time() -> None:
    """On 25 October 2026 the clock goes from 03:00 back to 02:00: 02:50 to 02:10 is 20 minutes."""
    start = datetime(2026, 10, 25, 0, 50, tzinfo=UTC)
    opening = Opening(start, start + timedelta(minutes=20))
    later = Opening(start + timedelta(hours=8), start + timedelta(hours=9))
    window = first_window(start, [opening, later])
    assert window == Window(later.start, later.end)


HOURS = (
    OFFICE,
    "24/7",
    "Mo-Su 20:00-02:30; PH off",
    "Mo-Fr 08:00-12:30,13:30-18:00; Sa 09:00-12:00",
    "Th 13:00-21:00",
    "Su 01:30-03:30",
)
DAYS = st.dates(date(2026, 1, 1), date(2027, 12, 31))
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))
CLOCKS = st.times(timezones=st.none()).map(lambda t: t.replace(second=0, microsecond=0))
RULES = st.builds(Processing, cutoff=CLOCKS, working_days=st.integers(0, 20), ready_from=CLOCKS)
CLOSURES = st.lists(
    st.builds(
        lambda first, days: Closure(first=first, last=first + timedelta(days=days)),
        DAYS,
        st.integers(0, 20),
    ),
    max_size=4,
).map(tuple)


@given(MOMENTS, RULES, st.sampled_from(HOURS), CLOSURES, CLOSURES)
def test_a_promised_window_can_be_kept(
    decided_at: datetime,
    rule: Processing,
    hours: str,
    practice_closed: tuple[Closure, ...],
    pharmacy_closed: tuple[Closure, ...],
) -> None:
    """Inside one opening, not before the decision, long enough, on no closed day, within the horizon."""
    practice = a_practice(*practice_closed, processing=rule)
    pharmacy = a_pharmacy(hours, *pharmacy_closed)
    window = pickup_window(decided_at, rule, calendar_of(practice, pharmacy))
    if window is None:
        return
    start, until = window.start.astimezone(UTC), window.until.astimezone(UTC)
    openings = list(expand(pharmacy, _day(decided_at)))
    assert any(o.start <= start and until <= o.end for o in openings)
    assert start >= decided_at
    assert until - start >= SHORTEST
    first, last = window.start.date(), (until - timedelta(microseconds=1)).astimezone(AMSTERDAM)
    assert not any(c.first <= d <= c.last for c in pharmacy_closed for d in (first, last.date()))
    assert first <= _day(decided_at) + timedelta(days=HORIZON_DAYS)


@given(MOMENTS, RULES, st.sampled_from(HOURS))
def test_deciding_later_never_promises_earlier(
    decided_at: datetime, rule: Processing, hours: str
) -> None:
    practice, pharmacy = a_practice(), a_pharmacy(hours)
    calendar = calendar_of(practice, pharmacy)
    earlier = pickup_window(decided_at, rule, calendar)
    later = pickup_window(decided_at + timedelta(hours=5), rule, calendar)
    if earlier and later:
        assert later.start.astimezone(UTC) >= earlier.start.astimezone(UTC)


@given(st.sampled_from(HOURS), DAYS)
def test_openings_never_overlap_and_last_a_day_at_most(hours: str, first: date) -> None:
    openings = list(expand(a_pharmacy(hours), first))
    for one, next_one in pairwise(openings):
        assert one.end <= next_one.start
    assert all(timedelta() < o.end - o.start <= timedelta(hours=25) for o in openings)


def _day(moment: datetime) -> date:
    return moment.astimezone(AMSTERDAM).date()
