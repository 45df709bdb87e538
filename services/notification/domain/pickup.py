"""When a prescription can be collected: the practice's processing rule, then the pharmacy's hours.

Pure arithmetic on calendars that are given. Moments are compared in UTC, because Python compares two
times of one zone by their clocks, which is wrong in the night that summer time ends.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import islice
from zoneinfo import ZoneInfo

from msgspec import Struct

from schemas.records.directory import Practice, Processing

AMSTERDAM = ZoneInfo("Europe/Amsterdam")

HORIZON_DAYS = 60
"""A window further than this from the decision is not promised: calendars change."""

NARROWEST = timedelta(minutes=30)
"""A patient must be able to make it; an opening with less left is passed over."""


class Opening(Struct, frozen=True):
    """A time in which a pharmacy is open without a break (UTC), never longer than a day."""

    start: datetime
    end: datetime


class Window(Struct, frozen=True):
    """When a prescription can be collected, in Europe/Amsterdam time."""

    start: datetime
    until: datetime


class Calendar(Struct, frozen=True):
    """What is open when: `is_working_day` of the practice, `openings` of the pharmacy.

    `openings` gives those of the `HORIZON_DAYS` from a day (Europe/Amsterdam) on, in order.
    """

    is_working_day: Callable[[date], bool]
    openings: Callable[[date], Sequence[Opening]]


NEVER_OPEN = Calendar(lambda _: True, lambda _: ())
"""Where nothing can be promised."""


def pickup_window(decided_at: datetime, rule: Processing, calendar: Calendar) -> Window | None:
    """The first time to collect what was approved at `decided_at` (aware); None within the horizon.

    Decided before the cutoff on a working day counts from that day, otherwise from the next one.
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
    """When the pharmacy has it ready (UTC); None when that is beyond the horizon."""
    working = (day for day in _days(decided_on, skip=int(late)) if is_working_day(day))
    ready_on = next(islice(working, working_days, None), None)
    if ready_on is None:
        return None
    return datetime.combine(ready_on, ready_from, AMSTERDAM).astimezone(UTC)


def first_window(ready: datetime, openings: Iterable[Opening]) -> Window | None:
    """What is left, from `ready` on, of the first opening that leaves at least `NARROWEST`."""
    for opening in openings:
        start = max(opening.start, ready)
        if opening.end - start >= NARROWEST:
            return local_window(start, opening.end)
    return None


@lru_cache(maxsize=10_000)
def local_window(start: datetime, until: datetime) -> Window:
    """The window between these moments (aware)."""
    # Hundreds of orders of a day can be collected in the same one.
    return Window(start.astimezone(AMSTERDAM), until.astimezone(AMSTERDAM))


def rule_text(practice: Practice) -> str:
    """The processing rule in words, as records name it."""
    rule = practice.processing
    return _rule_text(practice.agb, practice.version, rule.cutoff, rule.working_days)


@lru_cache(maxsize=10_000)
def _rule_text(practice: str, version: int, cutoff: time, working_days: int) -> str:
    days = "working day" if working_days == 1 else "working days"
    return f"practice {practice} v{version}: before {cutoff:%H:%M}, {working_days} {days}"


def _days(first: date, skip: int) -> Iterator[date]:
    return (first + timedelta(days=n) for n in range(skip, HORIZON_DAYS))
