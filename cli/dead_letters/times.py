"""Reads and formats times for operators, in Europe/Amsterdam."""

from datetime import UTC, datetime

import typer

from schemas.times import AMSTERDAM


def shown(moment: datetime) -> str:
    """Format in Amsterdam time, to the second; in UTC where that would overflow the calendar."""
    try:
        return moment.astimezone(AMSTERDAM).strftime("%Y-%m-%d %H:%M:%S")
    except OverflowError:
        return in_utc(moment)


def in_utc(moment: datetime) -> str:
    """Format as ISO 8601 in UTC with `Z`."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def read(text: str) -> datetime:
    """Parse a date, or a time such as 2026-11-23T10:00; Amsterdam time unless it has an offset.

    Raises typer.BadParameter for any other text.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"“{text}” is no time such as 2026-11-23T10:00") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=AMSTERDAM)
