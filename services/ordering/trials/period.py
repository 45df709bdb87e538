"""The orders that a trial looks at: those of the last so many months."""

from calendar import monthrange
from datetime import UTC, date, datetime, time

from schemas.times import AMSTERDAM


def months_before(day: date, months: int) -> date:
    """The same day so many months earlier; the last of a month that is too short."""
    count = day.year * 12 + day.month - 1 - months
    year, month = count // 12, count % 12 + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def start_of(day: date) -> datetime:
    """When a day begins in Europe/Amsterdam, in UTC."""
    return datetime.combine(day, time(), AMSTERDAM).astimezone(UTC)
