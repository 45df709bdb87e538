"""Computes the pickup window: the practice's processing rule, then the pharmacy's hours.

Pure arithmetic on given calendars. Times are compared in UTC, because Python compares two times of one zone by
their wall clocks, which is wrong in the night that summer time ends.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import islice

from msgspec import Struct

from schemas.records.directory import Practice, Processing
from schemas.times import AMSTERDAM

HORIZON_DAYS = 60
"""No window is promised later than this after the decision, because calendars change."""

SHORTEST = timedelta(minutes=30)
"""The shortest window that is promised: an opening with less time left is skipped."""


class Opening(Struct, frozen=True):
    """A period in which a pharmacy is open without a break, at most a day. Times are UTC."""

    start: datetime
    end: datetime


class Window(Struct, frozen=True):
    """When a prescription can be collected. Times are Europe/Amsterdam."""

    start: datetime
    until: datetime


class Calendar(Struct, frozen=True):
    """The practice's working days and the pharmacy's openings.

    `openings` returns those in the `HORIZON_DAYS` from a day (Europe/Amsterdam) on, in order.
    """

    is_working_day: Callable[[date], bool]
    openings: Callable[[date], Sequence[Opening]]


NEVER_OPEN = Calendar(lambda _: True, lambda _: ())
"""The calendar that gives no window."""


def pickup_window(decided_at: datetime, rule: Processing, calendar: Calendar) -> Window | None:
    """Find the first window for what was approved at `decided_at` (aware); None without one in the horizon.

    Working days count from the day of the decision if that is before the cutoff on a working day, otherwise
    from the next working day.
    """
    local = decided_at.astimezone(AMSTERDAM)
    day, late = local.date(), local.time() >= rule.cutoff
    ready = _ready_at(day, late, rule.working_days, rule.ready_from, calendar.is_working_day)
    if ready is None:
        return None
    return first_window(max(ready, decided_at.astimezone(UTC)), calendar.openings(day))


@lru_cache(maxsize=10_000)
def _ready_at(
    decided_on: date,
    late: bool,
    working_days: int,
    ready_from: time,
    is_working_day: Callable[[date], bool],
) -> datetime | None:
    """When the prescription is ready (UTC); None when that is beyond the horizon."""
    working = (day for day in _days(decided_on, skip=int(late)) if is_working_day(day))
    ready_on = next(islice(working, working_days, None), None)
    if ready_on is None:
        return None
    return datetime.combine(ready_on, ready_from, AMSTERDAM).astimezone(UTC)


def first_window(ready: datetime, openings: Iterable[Opening]) -> Window | None:
    """The rest, from `ready` on, of the first opening with at least `SHORTEST` left."""
    for opening in openings:
        start = max(opening.start, ready)
        if opening.end - start >= SHORTEST:
            return local_window(start, opening.end)
    return None


@lru_cache(maxsize=10_000)
def local_window(start: datetime, until: datetime) -> Window:
    """The window between these times (aware)."""
    # Cached: hundreds of orders a day share one window.
    return Window(start.astimezone(AMSTERDAM), until.astimezone(AMSTERDAM))


def rule_text(practice: Practice) -> str:
    """The text of the processing rule in a record."""
    rule = practice.processing
    return _rule_text(practice.agb, practice.version, rule.cutoff, rule.working_days)


@lru_cache(maxsize=10_000)
def _rule_text(practice: str, version: int, cutoff: time, working_days: int) -> str:
    days = "working day" if working_days == 1 else "working days"
    return f"practice {practice} v{version}: before {cutoff:%H:%M}, {working_days} {days}"


def _days(first: date, skip: int) -> Iterator[date]:
    return (first + timedelta(days=n) for n in range(skip, HORIZON_DAYS))
