"""Dutch calendars: the working days of a practice, the openings of a pharmacy.

A working day is a day from Monday to Friday that is neither a public holiday nor in a closure of the practice.
Public holidays are those on which Dutch practices close: not Good Friday, Liberation Day only in years that end
in 0 or 5, King's Day always.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

import holidays.countries  # loaded at start: 280 modules would delay the first answer
from opening_hours import OpeningHours, State

from schemas.records.directory import Closure, Pharmacy, Practice
from services.notification.domain.pickup import AMSTERDAM, HORIZON_DAYS, Opening

SATURDAY = 5
DAY = timedelta(days=1)
_CACHED = 4096


@lru_cache(maxsize=64)
def public_holidays(year: int) -> frozenset[date]:
    """The public holidays of a year in the Netherlands on which practices close."""
    named = holidays.country_holidays("NL", years=year, language="en_US")
    return frozenset(day for day, name in named.items() if name != "Good Friday")


def working_days(practice: Practice) -> Callable[[date], bool]:
    """Make the function that tells whether this practice works on a day."""

    def works(day: date) -> bool:
        return (
            day.weekday() < SATURDAY
            and day not in public_holidays(day.year)
            and not _closed(practice.closures, day)
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
    hours = OpeningHours(pharmacy.opening_hours, timezone=AMSTERDAM, country="NL")
    # From the day before: an opening past midnight belongs to the day on which it starts.
    start_of, end_of = _midnight(first - DAY), _midnight(first + timedelta(days=HORIZON_DAYS))
    for start, end, state, _ in hours.intervals(start_of, end_of):
        if state == State.OPEN:
            openings = _open(start, end, pharmacy.closures)
            yield from (o for o in openings if o.end > _midnight(first).astimezone(UTC))


def _open(start: datetime, end: datetime, closures: Iterable[Closure]) -> Iterator[Opening]:
    for piece_start, piece_end in _at_most_a_day(start, end):
        day = piece_start.date()
        until = _until_closed(piece_start, piece_end, closures)
        opening = Opening(piece_start.astimezone(UTC), until.astimezone(UTC))
        # An opening within the hour that summer time skips has no length.
        if not _closed(closures, day) and opening.end > opening.start:
            yield opening


def _at_most_a_day(start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    while end.astimezone(UTC) - start.astimezone(UTC) > DAY:
        midnight = _midnight(start.date() + DAY)
        yield start, midnight
        start = midnight
    yield start, end


def _until_closed(start: datetime, end: datetime, closures: Iterable[Closure]) -> datetime:
    next_day = start.date() + DAY
    midnight = _midnight(next_day)
    if end.astimezone(UTC) > midnight.astimezone(UTC) and _closed(closures, next_day):
        return midnight
    return end


def _closed(closures: Iterable[Closure], day: date) -> bool:
    return any(closure.first <= day <= closure.last for closure in closures)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), AMSTERDAM)
