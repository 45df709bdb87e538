"""Times as an operator reads and writes them: Europe/Amsterdam."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import typer

AMSTERDAM = ZoneInfo("Europe/Amsterdam")


def shown(moment: datetime) -> str:
    """A time in Amsterdam, to the second; in UTC at the ends of the calendar."""
    try:
        return moment.astimezone(AMSTERDAM).strftime("%Y-%m-%d %H:%M:%S")
    except OverflowError:
        return in_utc(moment)


def in_utc(moment: datetime) -> str:
    """ISO 8601 in UTC with `Z`."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def read(text: str) -> datetime:
    """A time such as 2026-11-23T10:00 or a day, in Amsterdam unless it has an offset.

    Raises typer.BadParameter when it is neither.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"“{text}” is no time such as 2026-11-23T10:00") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=AMSTERDAM)
