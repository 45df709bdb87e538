"""How long a patient's supplies of one medicine last, and when more may be ordered.

Days are days in Europe/Amsterdam (`schemas.times.local_date`). *Until* a day includes that day.
`docs/architecture/supplies.md` says why so.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

LOOKBACK_DAYS = 180
"""How many days before a supply its stock may be from, unless the caller says otherwise."""


class Supply(NamedTuple):
    """What was supplied `on` a day, and how many `days` it lasts; less than one day covers nothing."""

    on: date
    days: int


def covered_until(supplies: Iterable[Supply], *, lookback_days: int = LOOKBACK_DAYS) -> date | None:
    """Compute the last day with supply; None without a supply that lasts a day.

    A supply is used after the stock that is left when it comes, of supplies at most `lookback_days` before it.
    The last of the days that the supplies reach counts, so that one more never makes it earlier. `supplies`, in
    any order, are of one medicine with one dosage. A day after the calendar's end becomes its last day.
    """
    known = sorted((on.toordinal(), days) for on, days in supplies if days > 0)
    ends = [
        _end(known[: index + 1], newest - lookback_days) for index, (newest, _) in enumerate(known)
    ]
    return _day(max(ends)) if ends else None


def earliest_date(until: date, days: int, margin_days: int, share: int) -> date:
    """Compute the first day on which more may be ordered: a margin before `until`, the last day with supply.

    The margin is `margin_days`, at most `share` per cent of the `days` of the newest supply, rounded down.
    """
    return _day(until.toordinal() - min(margin_days, days * share // 100))


def _end(supplies: Sequence[tuple[int, int]], since: int) -> int:
    """The last day with supply, of supplies from the oldest to the newest: those from `since` on."""
    end = 0
    for on, days in supplies:
        if on >= since:
            end = max(on - 1, end) + days
    return end


def _day(ordinal: int) -> date:
    return date.fromordinal(min(max(ordinal, 1), date.max.toordinal()))
