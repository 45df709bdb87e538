"""Dutch calendars: the working days of a practice, the openings of a pharmacy.

A working day is a day from Monday to Friday on which the practice is open by its own hours, unless it is
a public holiday or in a closure of the practice. Public holidays are those on which Dutch practices close:
not Good Friday, Liberation Day only in years that end in 0 or 5, King's Day always.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time
from functools import lru_cache

import holidays.countries  # loaded at start: 280 modules would delay the first answer

from schemas.records.directory import Closure, Pharmacy, Practice
from schemas.times import AMSTERDAM
from services.notification.domain.hours import DAY, read_hours
from services.notification.domain.pickup import HORIZON_DAYS, Opening

SATURDAY = 5
_CACHED = 4096


@lru_cache(maxsize=64)
def public_holidays(year: int) -> frozenset[date]:
    """The public holidays of a year in the Netherlands on which practices close."""
    named = holidays.country_holidays("NL", years=year, language="en_US")
    return frozenset(day for day, name in named.items() if name != "Good Friday")


def working_days(practice: Practice) -> Callable[[date], bool]:
    """Make the function that tells whether this practice works on a day.

    Raises:
        opening_hours.ParserError: the hours are not in the OpenStreetMap format.
    """
    hours = read_hours(practice.opening_hours)

    def works(day: date) -> bool:
        return (
            day.weekday() < SATURDAY
            and day not in public_holidays(day.year)
            and not closed(practice.closures, day)
            and any(hours.on(day))
        )

    return works


class PracticeCalendar:
    """The working days of practices: one function per directory entry, which serves as a cache key."""

    def __init__(self) -> None:
        self._by_practice: dict[str, tuple[Practice, Callable[[date], bool]]] = {}

    def working_days(self, practice: Practice) -> Callable[[date], bool]:
        """The function that tells whether this practice works on a day."""
        entry, works = self._by_practice.get(practice.agb, (None, None))
        if works is None or entry is not practice:
            works = working_days(practice)
            self._by_practice[practice.agb] = practice, works
        return works


class PharmacyCalendar:
    """The openings of pharmacies, cached by the pharmacy's version and the day."""

    def __init__(self) -> None:
        self._cache: dict[tuple[str, int, date], Sequence[Opening]] = {}

    def openings(self, pharmacy: Pharmacy) -> Callable[[date], Sequence[Opening]]:
        """The function that returns this pharmacy's openings in the `HORIZON_DAYS` from a day on."""

        def openings_from(day: date) -> Sequence[Opening]:
            key = (pharmacy.agb, pharmacy.version, day)
            openings = self._cache.get(key)
            if openings is None:
                self._clear_when_full()
                openings = self._cache[key] = tuple(expand(pharmacy, day))
            return openings

        return openings_from

    def _clear_when_full(self) -> None:
        if len(self._cache) >= _CACHED:
            self._cache.clear()


def expand(pharmacy: Pharmacy, first: date) -> Iterator[Opening]:
    """Yield every opening that ends after local midnight of `first`, for `HORIZON_DAYS`, outside closures.

    An opening of more than a day is cut at each midnight. One that continues into a closed day ends where that
    day starts. One that starts on a closed day is left out.

    Raises:
        opening_hours.ParserError: the hours are not in the OpenStreetMap format.
    """
    hours = read_hours(pharmacy.opening_hours)
    # From the day before: an opening past midnight belongs to the day on which it starts.
    for start, end in hours.between(first - DAY, HORIZON_DAYS + 1):
        openings = _open(start, end, pharmacy.closures)
        yield from (o for o in openings if o.end > _midnight(first).astimezone(UTC))


def _open(start: datetime, end: datetime, closures: Iterable[Closure]) -> Iterator[Opening]:
    for piece_start, piece_end in _at_most_a_day(start, end):
        day = piece_start.date()
        until = _until_closed(piece_start, piece_end, closures)
        opening = Opening(piece_start.astimezone(UTC), until.astimezone(UTC))
        if not closed(closures, day):
            yield opening


def _at_most_a_day(start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    midnight = _midnight(start.date() + DAY)
    # A day is 25 hours when summer time ends, and is not cut.
    while midnight < end and end.astimezone(UTC) - start.astimezone(UTC) > DAY:
        yield start, midnight
        start, midnight = midnight, _midnight(midnight.date() + DAY)
    yield start, end


def _until_closed(start: datetime, end: datetime, closures: Iterable[Closure]) -> datetime:
    next_day = start.date() + DAY
    midnight = _midnight(next_day)
    if end.astimezone(UTC) > midnight.astimezone(UTC) and closed(closures, next_day):
        return midnight
    return end


def closed(closures: Iterable[Closure], day: date) -> bool:
    """Whether a day is in one of these closures."""
    return any(closure.first <= day <= closure.last for closure in closures)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), AMSTERDAM)
