"""Opening hours in a directory file: what cannot be used, and what is surely not meant."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, time

# The stub of the library lacks its error.
from opening_hours import ParserError  # type: ignore[attr-defined]

from schemas.records.directory import Closure
from services.notification.domain.calendars import SATURDAY, closed, public_holidays
from services.notification.domain.hours import DAY, Hours, Span, read_hours
from services.notification.domain.pickup import SHORTEST

A_YEAR = 366
_EXAMPLE = "Mo-Fr 08:00-17:00; PH off"
_SEPARATOR = re.compile(r';(?=(?:[^"]*"[^"]*")*[^"]*$)')
"""A semicolon outside comments."""
_TIMES = re.compile(r"\b(\d\d):(\d\d)-(\d\d):(\d\d)")
_HALF_A_DAY = 12 * 60
_NIGHT = time(3)


def wrong_hours(text: str, today: date) -> str | None:
    """Check opening hours in the OpenStreetMap format; return the error, or None."""
    try:
        hours = read_hours(text)
    except ParserError as error:
        return f"is not in the opening_hours format, {_error_column(str(error))}"
    if hours.unsupported:
        return f"uses {hours.unsupported}, which cannot be worked out here; use times and closures"
    if not any(any(hours.all_on(day)) for day in _coming_year(today)):
        return "is never open in the coming year"
    return None


def _error_column(error: str) -> str:
    """Describe where parsing failed; the parser's message starts with `--> line:column`."""
    column = error.partition("--> ")[2].split("\n")[0].partition(":")[2]
    return f"from character {column} on; such as: Mo-Fr 08:00-18:00; PH off"


@dataclass(frozen=True)
class _Case:
    """Hours that can be read, with the openings that promises count on in the coming year."""

    text: str
    hours: Hours
    closures: tuple[Closure, ...]
    today: date
    spans: tuple[Span, ...]

    def open_on(self, day: date) -> bool:
        """Whether it is open on a day, by its hours and its closures."""
        return any(self.hours.on(day)) and not closed(self.closures, day)


def doubtful_hours(
    text: str, closures: tuple[Closure, ...], today: date, *, practice: bool
) -> Iterator[str]:
    """Yield what is surely not meant in the hours of a practice or pharmacy, and what to write.

    Raises:
        opening_hours.ParserError: the text is not in the format.
    """
    hours = read_hours(text)
    case = _Case(text, hours, closures, today, tuple(hours.between(today, A_YEAR)))
    yield from _comments(case)
    if case.spans:
        for doubt in (*_BOTH, *(_PRACTICE if practice else _PHARMACY)):
            yield from doubt(case)


def _comments(case: _Case) -> Iterator[str]:
    found = {c: "" for day in _coming_year(case.today) for *_, c in case.hours.all_on(day) if c}
    if not found:
        return
    comments = ", ".join(f'"{comment}"' for comment in found)
    if not case.spans:
        yield f"every opening has a comment ({comments}), so nothing is ever promised"
    else:
        yield (
            f"hours with a comment ({comments}) are not used for promises; "
            "leave the comment out if they may be"
        )


def _public_holidays(case: _Case) -> Iterator[str]:
    holidays = [day for day in _coming_year(case.today) if day in public_holidays(day.year)]
    open_on = next((day for day in holidays if case.open_on(day)), None)
    if open_on is None or _always_open(case):
        return
    if not re.search(r"\bPH\b", case.hours.rules):
        yield (
            f"is open on public holidays, such as {_day(open_on)}; "
            "write `; PH off` at the end, or the hours on those days, such as `; PH 10:00-12:00`"
        )


def _rules_without_effect(case: _Case) -> Iterator[str]:
    rules = [rule.strip() for rule in _SEPARATOR.split(case.text)]
    for n, rule in enumerate(rules[:-1]):
        closes = re.search(r"\b(off|closed)\b", rule, re.IGNORECASE) is not None
        if closes and "PH" not in rule:
            continue
        others = read_hours("; ".join(rules[:n] + rules[n + 1 :]))
        if not _same(case.hours, others, case.today):
            continue
        if not closes:
            yield (
                f"the rule `{rule}` has no effect in the coming year: it is over, or a later rule replaces it; "
                "write the hours of a day together, such as Mo-Fr 08:00-12:00,13:00-17:00"
            )
        elif any(case.open_on(day) for day in _coming_year(case.today) if _is_holiday(day)):
            yield f"the rule `{rule}` has no effect: a later rule replaces it; put it at the end"


def _same(one: Hours, other: Hours, today: date) -> bool:
    return all(list(one.all_on(day)) == list(other.all_on(day)) for day in _coming_year(today))


def _fallback(case: _Case) -> Iterator[str]:
    if any('"' not in part for part in case.text.split("||")[1:]):
        yield "hours after || count only on days that the rules before it leave out; use a comma"


def _short(case: _Case) -> Iterator[str]:
    for start, end in case.spans:
        if end - start < SHORTEST:
            yield (
                f"is open on {_day(start.date())} from {start:%H:%M} to {end:%H:%M}; "
                "nothing is promised in less than half an hour"
            )
            return


def _weekdays(case: _Case) -> Iterator[str]:
    if not any(start.weekday() < SATURDAY or end - start > DAY for start, end in case.spans):
        yield "is never open from Monday to Friday"


def _open_at_night(case: _Case) -> Iterator[str]:
    if _nights(case):
        yield f"is open at night, as hardly any practice is; write for example {_EXAMPLE}"


def _turned_round(case: _Case) -> Iterator[str]:
    """Closing before opening: `17:30-08:30`. A pharmacy that is open at night is so almost every night."""
    if len(_nights(case)) >= 6:
        return
    for times in _TIMES.finditer(case.hours.rules):
        hour, minute, until_hour, until_minute = map(int, times.groups())
        start, end = hour * 60 + minute, until_hour * 60 + until_minute
        if start == end:
            yield f"{times[0]} is a day and a night; write 24/7 if that is meant"
        elif end < start and end + 2 * _HALF_A_DAY - start > _HALF_A_DAY:
            turned = f"{times[0][6:]}-{times[0][:5]}"
            yield f"{times[0]} closes before it opens, the next day; write {turned} if that is meant"


def _nights(case: _Case) -> list[date]:
    """The nights of the coming week in which it is open."""
    return [day for day in _coming_year(case.today)[:7] if _is_open(case.hours, day, _NIGHT)]


def _is_open(hours: Hours, day: date, clock: time) -> bool:
    return any(
        start.time() <= clock and (end.date() > day or clock < end.time())
        for start, end in hours.on(day)
    )


def _always_open(case: _Case) -> bool:
    (start, end), *more = case.spans
    return not more and end - start == A_YEAR * DAY


_Doubt = Callable[[_Case], Iterator[str]]
_BOTH: tuple[_Doubt, ...] = (_public_holidays, _rules_without_effect, _fallback, _short, _weekdays)
_PRACTICE: tuple[_Doubt, ...] = (_open_at_night,)
_PHARMACY: tuple[_Doubt, ...] = (_turned_round,)


def office_hours(text: str, today: date) -> Iterator[tuple[time, time | None]]:
    """Yield the first opening and last closing of the weekdays of four weeks; None closes at midnight.

    Raises:
        opening_hours.ParserError: the text is not in the format.
    """
    hours = read_hours(text)
    for day in _coming_year(today)[:28]:
        spans = list(hours.on(day))
        if spans and day.weekday() < SATURDAY and not _is_holiday(day):
            last = spans[-1][1]
            yield spans[0][0].time(), None if last.date() > day else last.time()


def _coming_year(today: date) -> list[date]:
    return [today + n * DAY for n in range(A_YEAR)]


def _is_holiday(day: date) -> bool:
    return day in public_holidays(day.year)


def _day(day: date) -> str:
    return f"{day:%A} {day.day} {day:%B %Y}"
