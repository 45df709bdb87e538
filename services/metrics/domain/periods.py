"""Calendar periods: days, ISO 8601 weeks, months and quarters, with their labels."""

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import assert_never

from schemas.api.metrics import By


@dataclass(frozen=True, slots=True)
class Period:
    """A period and the requested part of it: `first` to `last`, both days included.

    `start` is the first day of the whole period.
    """

    label: str
    start: date
    first: date
    last: date


def periods(first: date, last: date, by: By) -> Iterator[Period]:
    """Yield every period between `first` and `last`, in order and without gaps."""
    while True:
        end = min(_end(first, by), last)
        yield Period(label(first, by), _start(first, by), first, end)
        if end == last:
            return
        first = _plus(end, 1)


def label(day: date, by: By) -> str:
    """The label of the period with this day: 2026-11-23, 2026-W48, 2026-11 or 2026-Q4."""
    match by:
        case By.DAY:
            return day.isoformat()
        case By.WEEK:
            year, week, _ = day.isocalendar()
            return f"{year:04}-W{week:02}"
        case By.MONTH:
            return f"{day.year:04}-{day.month:02}"
        case By.QUARTER:
            return f"{day.year:04}-Q{(day.month + 2) // 3}"
        case _:
            assert_never(by)


def _start(day: date, by: By) -> date:
    match by:
        case By.DAY:
            return day
        case By.WEEK:
            return _plus(day, 1 - day.isoweekday())
        case By.MONTH:
            return day.replace(day=1)
        case By.QUARTER:
            return date(day.year, day.month - (day.month - 1) % 3, 1)
        case _:
            assert_never(by)


def _end(day: date, by: By) -> date:
    match by:
        case By.DAY:
            return day
        case By.WEEK:
            return _plus(day, 7 - day.isoweekday())
        case By.MONTH:
            return _month_end(day.year, day.month)
        case By.QUARTER:
            return _month_end(day.year, day.month + 2 - (day.month - 1) % 3)
        case _:
            assert_never(by)


def _month_end(year: int, month: int) -> date:
    return date(year, month, monthrange(year, month)[1])


def _plus(day: date, days: int) -> date:
    """Add days, up to the last day of the calendar."""
    return date.fromordinal(min(day.toordinal() + days, date.max.toordinal()))
