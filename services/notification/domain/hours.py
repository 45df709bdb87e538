"""Reads opening hours in OpenStreetMap's `opening_hours` format: when somebody certainly can come in.

Time counts as open when the library says that it is open and gives no comment: `Sa "op afspraak"` and
`Sa 09:00-12:00 "alleen spoed"` are no openings. Nor are hours that need what the directory does not have.
"""

import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from functools import lru_cache

from opening_hours import OpeningHours, State

from schemas.times import AMSTERDAM

Span = tuple[datetime, datetime]
"""From when until when. Times are Europe/Amsterdam."""

DAY = timedelta(days=1)

_COMMENT = re.compile(r'"[^"]*"')
_UNSUPPORTED = (
    re.compile(r"\b(?:SH|sunrise|sunset|dawn|dusk)\b"),
    re.compile(r"(?<!-)\b\d\d:\d\d\+"),
    re.compile(r"\b\d\d:\d\d-\d\d:\d\d/[\d:]+"),
)
"""Parts that need a school region or coordinates; times without an end; points in time."""


class Hours:
    """Opening hours in the Netherlands. Use `read_hours`, which reads each text once.

    `rules` is the text as the library writes it, each word in its standard case, without comments.
    `unsupported` is a part that cannot be worked out from the text alone, such as `sunrise`, or None; with
    one it is never open.

    Raises:
        opening_hours.ParserError: the text is not in the format.
    """

    def __init__(self, text: str) -> None:
        self._hours = OpeningHours(text, timezone=AMSTERDAM, country="NL")
        self.rules = _COMMENT.sub("", str(self._hours))
        found = (pattern.search(self.rules) for pattern in _UNSUPPORTED)
        self.unsupported = next((match[0] for match in found if match), None)

    def on(self, day: date) -> Iterator[Span]:
        """Yield when it is open on a day, in order; one that goes on past midnight ends there."""
        yield from ((start, end) for start, end, comment in self.all_on(day) if not comment)

    def all_on(self, day: date) -> Iterator[tuple[datetime, datetime, str]]:
        """Yield the openings of a day as start, end and comment, also those with a comment."""
        if self.unsupported:
            return
        # One day at a time: over more days, `intervals` does not always agree with `state`. After `||` it may
        # read the first days only, and give an opening of two months.
        midnight, next_midnight = _midnight(day), _midnight(day + DAY)
        for start, end, state, comment in self._hours.intervals(midnight, next_midnight):
            # In the hour that the end of summer time repeats, only what is open both times is certain.
            first, last = start.replace(fold=1), end.replace(fold=0)
            if state == State.OPEN and first.timestamp() < last.timestamp():
                yield first, last, comment

    def between(self, first: date, days: int) -> Iterator[Span]:
        """Yield when it is open in these days. Openings that meet at midnight are one."""
        current: Span | None = None
        for start, end in (span for n in range(days) for span in self.on(first + n * DAY)):
            if current and current[1] == start:
                current = current[0], end
                continue
            if current:
                yield current
            current = start, end
        if current:
            yield current


@lru_cache(maxsize=4096)
def read_hours(text: str) -> Hours:
    """Read opening hours.

    Raises:
        opening_hours.ParserError: the text is not in the format.
    """
    return Hours(text)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), AMSTERDAM)
