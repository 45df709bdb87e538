"""What a directory file says that is surely not meant: warnings, as the file can be used."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from cli.directory.hours import doubtful_hours, office_hours
from cli.entries.checking import Flaw
from cli.entries.yaml_lines import Where
from schemas.records.directory import Closure, Directory, PharmacyEntry, PracticeEntry
from services.notification.domain.pickup import HORIZON_DAYS, SHORTEST

NO_CUTOFF = time(23, 59)
"""How a practice says that decisions of the whole day count."""


def doubts(directory: Directory, today: date) -> Iterator[Flaw]:
    """Yield what is surely not meant in a directory without errors."""
    closings = {
        last for p in directory.pharmacies for _, last in office_hours(p.opening_hours, today)
    }
    for n, practice in enumerate(directory.practices):
        where: Where = ("practices", n)
        yield from _hours(practice, where, today)
        yield from _processing(practice, closings, where, today)
    practices = {practice.agb for practice in directory.practices}
    for n, pharmacy in enumerate(directory.pharmacies):
        where = ("pharmacies", n)
        yield from _hours(pharmacy, where, today)
        if pharmacy.agb.startswith("01") and pharmacy.agb not in practices:
            what = "is the code of a GP practice, which is not among the practices here"
            yield (*where, "agb"), what


def _hours(entry: PracticeEntry | PharmacyEntry, where: Where, today: date) -> Iterator[Flaw]:
    practice = isinstance(entry, PracticeEntry)
    for doubt in doubtful_hours(entry.opening_hours, entry.closures, today, practice=practice):
        yield (*where, "opening_hours"), doubt
    for n, closure in enumerate(entry.closures):
        if closure.last < today:
            yield (*where, "closures", n), "is over"
        elif (days := _days(closure)) > HORIZON_DAYS:
            yield (*where, "closures", n), f"is {days} days; nothing is promised in that time"


def _processing(
    practice: PracticeEntry, closings: set[time | None], where: Where, today: date
) -> Iterator[Flaw]:
    rule, place = practice.processing, (*where, "processing")
    days = list(office_hours(practice.opening_hours, today))
    if days and rule.cutoff != NO_CUTOFF and not any(_within(rule.cutoff, *day) for day in days):
        yield (
            (*place, "cutoff"),
            "is outside of the opening hours on every working day; "
            f"write {NO_CUTOFF:%H:%M} if decisions of the whole day count",
        )
    if closings and not any(_time_left(rule.ready_from, last) for last in closings):
        yield (
            (*place, "ready_from"),
            "is less than half an hour before every pharmacy here closes, "
            "so nothing can be collected on the day that it is ready",
        )


def _within(clock: time, first: time, last: time | None) -> bool:
    return first < clock and (last is None or clock <= last)


def _time_left(ready: time, closing: time | None) -> bool:
    return closing is None or _since_midnight(closing) - _since_midnight(ready) >= SHORTEST


def _since_midnight(clock: time) -> timedelta:
    return datetime.combine(date.min, clock) - datetime.combine(date.min, time())


def _days(closure: Closure) -> int:
    return (closure.last - closure.first).days + 1
