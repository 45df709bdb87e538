"""The time zone of people, and days in it."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

AMSTERDAM = ZoneInfo("Europe/Amsterdam")


def local_date(moment: datetime) -> date:
    """The day in Europe/Amsterdam; the calendar's last day for a moment whose local time lies after its end."""
    try:
        return moment.astimezone(AMSTERDAM).date()
    except OverflowError:
        return date.max
