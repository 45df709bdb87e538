"""Opening hours: what counts as open, held against the library's own `state()` and against the calendar."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from opening_hours import OpeningHours, State

from schemas.times import AMSTERDAM
from services.notification.domain.hours import read_hours
from tests.unit.notification.made import amsterdam

REAL = (
    # as pharmacies and practices publish them
    "24/7",
    "24/7; PH off",
    "Mo-Fr 08:00-17:00",
    "Mo-Fr 08:00-17:30; PH off",
    "Mo-Fr 8:00-17:00;PH off",
    "mo-fr 08:00-17:00; PH OFF",
    "Mo-Fr 08:30-12:30,13:30-17:30; Sa 09:00-12:00; PH off",
    "Mo-Fr 08:00-12:00, 13:00-17:00; PH off",
    "Mo-Fr 08:00-12:00, Mo-Fr 13:00-17:00",
    "Mo-Fr 08:00-12:30; Mo,Tu,Th 13:30-17:00; PH off",
    "Mo-Tu,Th-Fr 08:00-17:00",
    "Mo,Tu,Th,Fr 08:00-17:00; We 08:00-12:00; PH off",
    "Mo-We,Fr 08:00-18:00; Th 08:00-21:00; PH off",
    "Mo-Fr 08:00-18:00; Sa 13:00-17:00; Su,PH off",
    "Mo-Fr 13:00-17:30; PH off",
    "Mo-Fr 08:30-12:30,13:00-17:00; Sa-Su 17:00-20:00; PH off",
    "Mo 14:00-19:00, Tu-Fr 09:00-12:15, 14:15-19:00, Sa 09:00-12:00",
    "Mo-Fr 09:00-17:30; Sa,PH off",
    "Mo-Fr 08:00-17:00; PH,Sa,Su off",
    "Mo-Fr 08:30-17:30, PH off",
    "PH off; Mo-Fr 08:00-17:00",
    "Mo-Su 08:30-21:00",
    "Mo-Su,PH 08:00-22:00",
    "Mo-Fr 07:30-20:00; Sa-Su 10:00-16:00; PH 10:00-16:00",
    "Mo-Fr 08:00-17:30; PH 10:00-12:00",
    # on some days only
    "Mo-Fr 08:00-17:30; Dec 24,Dec 31 08:00-16:00; PH off",
    "Mo-Fr 08:00-20:00; Sa 09:00-17:00; PH off; Dec 05 08:00-18:00",
    "Mo-Fr 08:00-17:30; Dec 24-26 off",
    "Mo-Fr 08:00-17:00; Dec 24-Jan 2 off",
    "Mo-Fr 08:00-17:30; 2026 Dec 21-2027 Jan 01 08:00-13:00; PH off",
    "Mo-Fr 08:00-17:30; Jul-Aug 08:00-12:00; PH off",
    "Jul 15-Aug 31: Mo-Fr 09:00-12:00; Sep 01-Jul 14: Mo-Fr 08:00-17:00; PH off",
    "2026 Mo-Fr 08:00-17:00; 2027+ Mo-Th 08:00-17:00",
    "Mo-Fr 08:00-17:30; week 27-35 Mo-Fr 08:00-12:00",
    "week 1-53/2 Mo-Fr 08:00-17:00; week 2-52/2 Mo-Th 08:00-17:00",
    "Mo-Fr 08:00-17:00; Tu[1] 13:00-17:00; PH off",
    "Th[-1] 09:00-12:00",
    "Sa[1],Sa[3] 09:00-12:00",
    "Mo-Fr 08:00-17:00; easter -2 days off",
    "Mo-Fr 08:00-17:00; PH -1 day 08:00-12:00; PH off",
    # with comments
    'Mo-Fr 08:30-17:30; Sa "op afspraak"; PH off',
    'Sa 09:00-12:00 "alleen spoed"',
    'Mo-Fr 08:00-17:30 "via achteringang"',
    'Mo-Fr 08:00-17:00; Sa off "op afspraak"',
    'Mo-Fr 08:00-17:00; PH off "feestdag"',
    'Mo-Fr 08:00-17:00; We[2] off "teamoverleg"',
    'Mo-Fr 08:00-17:00; 12:00-13:00 off "pauze"',
    'Mo-Fr 08:00-17:00, Tu 13:00-15:00 "alleen spoed"',
    'Tu 10:00-14:00 "prikpost", Mo-Fr 08:00-12:00',
    'Mo-Th 08:00-17:00; Fr 08:00-16:00 "na 15:00 telefonisch"; PH off',
    'Mo-Sa 11:30-23:30;Su "nach Vereinbarung"',
    '"op afspraak"; PH off',
    '24/7 "bel aan"',
    "unknown",
    'Mo-Fr unknown "op afspraak"',
    "Mo-Fr 08:00-17:00; Tu 13:00-15:00 unknown",
    'Mo-Fr 08:00-17:00 open, Sa 09:00-12:00 unknown "bel eerst"',
    # with a fallback, where `intervals` and `state` disagree
    'Mo-Fr 08:00-17:00 || "op afspraak"',
    'Mo-Fr 08:00-17:00; PH off || "op afspraak"',
    "Mo-Fr 08:00-17:00 || unknown",
    "Mo-Fr 08:00-17:00 || open",
    'Mo 12:00-24:00; Tu 08:00-10:00 || "bel aan"',
    'Mo-Fr 08:00-11:00 || Tu-Th,PH open "Emergency only"',
    'We-Fr 10:00-24:00 open "it is open" || "please call"; PH off',
    # at night
    "Fr 20:00-02:00",
    "Mo-Th 18:00-26:00",
    "Mo-Su 20:00-02:30; PH off",
    "Mo-Fr 17:00-08:00; Sa-Su,PH 00:00-24:00",
    "Mo-Su 17:00-08:00; Sa-Su 00:00-24:00",
    "Mo 20:00-24:00; Tu-Su 00:00-02:00 || off",
    "Sa 22:00-06:00",
    "Su 01:00-02:30",
    "Su 01:30-03:30",
    "Su 02:30-04:00",
    "Mo-Su 02:15-02:45",
    "open; Mo 15:00-16:00 off; PH off",
    "00:00-24:00; Tu-Su,PH 08:30-09:00 off; Mo 08:00-13:00 off",
)
PERIODS = (
    (date(2026, 10, 22), 6),  # summer time ends on the 25th
    (date(2026, 12, 21), 14),  # Christmas and New Year
    (date(2027, 3, 24), 8),  # summer time starts on the 28th, Easter Monday is the 29th
    (date(2027, 4, 26), 14),  # King's Day and Ascension
)
STEP = timedelta(minutes=15)
REPEATED = datetime(2026, 10, 25, 0, tzinfo=UTC), datetime(2026, 10, 25, 2, tzinfo=UTC)
"""From 02:00 to 03:00 in Amsterdam, twice."""


def _moments(first: date, days: int) -> Iterator[datetime]:
    moment = amsterdam(f"{first} 00:00").astimezone(UTC)
    until = amsterdam(f"{first + timedelta(days=days)} 00:00").astimezone(UTC)
    while moment < until:
        yield moment
        moment += STEP


def _counted(hours: str, first: date, days: int) -> set[datetime]:
    """The moments that count as open."""
    spans = list(read_hours(hours).between(first, days))
    spans = [(start.astimezone(UTC), end.astimezone(UTC)) for start, end in spans]
    assert all(start < end for start, end in spans)
    assert all(one[1] < other[0] for one, other in pairwise(spans))
    return {m for m in _moments(first, days) for start, end in spans if start <= m < end}


def _says_open(hours: OpeningHours, moment: datetime) -> bool:
    state, comment = hours.state(moment.astimezone(AMSTERDAM))
    return state == State.OPEN and not comment


@pytest.mark.parametrize("hours", REAL)
def test_it_counts_as_open_when_the_library_says_so_of_that_moment_without_a_comment(
    hours: str,
) -> None:
    """In weeks with holidays and clock changes. In the repeated hour less may count, never more."""
    library = OpeningHours(hours, timezone=AMSTERDAM, country="NL")
    for first, days in PERIODS:
        counted = _counted(hours, first, days)
        open_ = {m for m in _moments(first, days) if _says_open(library, m)}
        assert counted <= open_
        assert all(REPEATED[0] <= m < REPEATED[1] for m in open_ - counted)


def test_over_more_days_the_librarys_intervals_disagree_with_its_state() -> None:
    """Why hours are read a day at a time. When this fails, the library is mended."""
    hours = OpeningHours('Mo 12:00-24:00; Tu 08:00-10:00 || "bel aan"', timezone=AMSTERDAM)
    start, end = amsterdam("2026-11-30 00:00"), amsterdam("2027-01-30 00:00")
    opened = [(a, b) for a, b, state, comment in hours.intervals(start, end) if not comment]
    assert (amsterdam("2026-11-30 12:00"), end) in opened
    assert hours.state(amsterdam("2026-12-01 11:00")) == (State.CLOSED, "")


def _on(hours: str, day: date) -> list[str]:
    return [f"{start:%H:%M}-{end:%H:%M}" for start, end in read_hours(hours).on(day)]


@pytest.mark.parametrize(
    ("hours", "day", "opened"),
    [
        ('Mo-Fr 08:30-17:30; Sa "op afspraak"; PH off', "2026-12-05", []),
        ('Sa 09:00-12:00 "alleen spoed"', "2026-12-05", []),
        ('Mo-Fr 08:00-17:00 "via achteringang"', "2026-12-04", []),
        ('Mo-Fr 08:00-17:00, Fr 13:00-15:00 "alleen spoed"', "2026-12-04",
         ["08:00-13:00", "15:00-17:00"]),
        ('Mo-Fr 08:00-17:00 || "op afspraak"', "2026-12-04", ["08:00-17:00"]),
        ('Mo-Fr 08:00-17:00 || "op afspraak"', "2026-12-05", []),
        ("week 1-53/2 08:00-12:00", "2026-12-28", ["08:00-12:00"]),
        ("week 1-53/2 08:00-12:00", "2027-01-04", ["08:00-12:00"]),
        ("week 2-52/2 08:00-12:00", "2026-12-28", []),
        ("week 2-52/2 08:00-12:00", "2026-12-21", ["08:00-12:00"]),
        ("easter 10:00-11:00", "2027-03-28", ["10:00-11:00"]),
        ("easter +39 days 10:00-11:00", "2027-05-06", ["10:00-11:00"]),
        ("Mo-Fr 08:00-17:00; PH -1 day 08:00-12:00; PH off", "2026-12-24", ["08:00-12:00"]),
        ("Mo-Fr 08:00-17:00+", "2026-12-04", ["08:00-17:00"]),
    ],
)  # fmt: skip
def test_openings_of_a_day(hours: str, day: str, opened: list[str]) -> None:
    assert _on(hours, date.fromisoformat(day)) == opened


@pytest.mark.parametrize(
    ("hours", "part"),
    [
        ("sunrise-sunset", "sunrise"),
        ("(sunrise+01:00)-(sunset-01:00)", "sunrise"),
        ("SUNRISE-18:00", "sunrise"),
        ("08:00-Sunset", "sunset"),
        ("Mo-Fr 08:00-17:00; Sa Dawn-DUSK", "dawn"),
        ("Mo-Fr 08:00-dusk", "dusk"),
        ("Mo-Fr 08:00-17:00; SH off", "SH"),
        ("Mo-Fr 08:00-17:00; SH,PH off", "SH"),
        ("Mo-Fr 17:00+", "17:00+"),
        ("Mo-Fr 10:00-16:00/01:30", "10:00-16:00/01:30"),
        ("Mo-Fr 10:00-16:00/30", "10:00-16:00/"),
    ],
)
def test_hours_that_need_what_we_do_not_have_are_never_open(hours: str, part: str) -> None:
    read = read_hours(hours)
    assert (read.unsupported or "").startswith(part)
    assert not any(read.between(date(2026, 11, 23), 14))


@pytest.mark.parametrize(
    "hours",
    [
        'Mo-Fr 08:00-17:00 "sunrise"',
        'Sa off "SH 17:00+"',
        "easter +1 day off; 2026+ Mo 09:00-10:00",
    ],
)
def test_a_comment_or_a_plus_elsewhere_is_no_such_part(hours: str) -> None:
    assert read_hours(hours).unsupported is None
