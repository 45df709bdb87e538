"""When a pharmacy or practice is open, in words, from OpenStreetMap's `opening_hours`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import groupby

from opening_hours import OpeningHours, State

from portal.web import formats
from schemas.reasons import Language
from schemas.records.directory import WEEKDAYS, OrderHours

DAYS = 7


@dataclass(frozen=True)
class Opening:
    """Days that follow each other with the same hours: first and last day, and from when to when."""

    first: date
    last: date
    hours: tuple[tuple[time, time], ...]


def ordinary_week(written: str, monday: date) -> Sequence[Opening]:
    """The hours of an ordinary week, without holidays; days with the same hours together."""
    rules = OpeningHours(written)
    days = [monday + timedelta(days=each) for each in range(DAYS)]
    of_days = [(day, _hours(rules, day)) for day in days]
    groups = groupby(of_days, key=lambda one: one[1])
    found = [(hours, [day for day, _ in group]) for hours, group in groups]
    return [Opening(days[0], days[-1], hours) for hours, days in found]


def in_words(opening: Opening, language: Language) -> tuple[str, str]:
    """The days and the hours of an opening: "ma – vr" and "8.30 – 12.30, 13.30 – 17.30"."""
    days = _days(opening.first, opening.last, language)
    return days, ", ".join(_span(span, language) for span in opening.hours) or _CLOSED[language]


def _span(span: tuple[time, time], language: Language) -> str:
    if span == (time(), time()):
        return _ALWAYS[language]
    start, end = (formats.clock_time(at, language) for at in span)
    return f"{start} – {end}"


def order_times(hours: OrderHours | None, language: Language) -> Sequence[str]:
    """When a practice takes orders: "ma – vr 8.00 – 17.00", days that follow each other together.

    Empty where it always does.
    """
    if hours is None or hours == OrderHours():
        return ()
    places = sorted(WEEKDAYS.index(day) for day in {*hours.days})
    monday = date(2026, 1, 5)
    runs = groupby(enumerate(places), key=lambda one: one[1] - one[0])
    spans = [[monday + timedelta(days=place) for _, place in run] for _, run in runs]
    clock = f"{formats.clock_time(hours.first, language)} – {_end_of(hours.last, language)}"
    return [f"{_days(days[0], days[-1], language)} {clock}" for days in spans]


def _end_of(last: time, language: Language) -> str:
    """The end of the last minute: 17:00 for 16:59."""
    ends = datetime.combine(date(2026, 1, 5), last) + timedelta(minutes=1)
    if ends.time() == time():
        return _MIDNIGHT[language]
    return formats.clock_time(ends.time(), language)


def _days(first: date, last: date, language: Language) -> str:
    names = [formats.weekday_name(day, language) for day in (first, last)]
    return names[0] if first == last else f"{names[0]} – {names[1]}"


_MIDNIGHT: Mapping[Language, str] = {"nl": "24.00", "en": "midnight"}
_CLOSED: Mapping[Language, str] = {"nl": "gesloten", "en": "closed"}
_ALWAYS: Mapping[Language, str] = {"nl": "dag en nacht open", "en": "open day and night"}


def _hours(rules: OpeningHours, day: date) -> tuple[tuple[time, time], ...]:
    begin = datetime.combine(day, time())
    spans = rules.intervals(begin, begin + timedelta(days=1))
    return tuple(
        (start.time(), end.time())
        for start, end, state, comment in spans
        if state == State.OPEN and not comment
    )
