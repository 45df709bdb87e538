"""Reads days that people type."""

import re
from datetime import date

_DUTCH_DATE = re.compile(r"(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{4})")


def read_day(text: str) -> date | None:
    """A day as a date field sends it, or as people write it without one; None when it is none."""
    dutch = _DUTCH_DATE.fullmatch(text)
    written = f"{dutch[3]}-{int(dutch[2]):02}-{int(dutch[1]):02}" if dutch else text
    try:
        return date.fromisoformat(written)
    except ValueError:
        return None
