"""Dates, times and numbers as people of a language write them, in Europe/Amsterdam."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from babel.dates import format_date, format_datetime, format_time
from babel.numbers import format_decimal, format_percent

from portal.web.languages import REGIONS
from schemas.reasons import Language
from schemas.times import AMSTERDAM

_CLOCK: Mapping[Language, str] = {"nl": "HH.mm", "en": "HH:mm"}
_DAY: Mapping[Language, str] = {"nl": "d MMMM y", "en": "d MMMM y"}
_WEEKDAY: Mapping[Language, str] = {"nl": "EEEE d MMMM", "en": "EEEE d MMMM"}
_HOUR: Mapping[Language, str] = {"nl": "{}\N{NO-BREAK SPACE}uur", "en": "{}"}


def day(value: date, language: Language) -> str:
    """A day: 3 december 2026."""
    return format_date(_local_day(value), _DAY[language], REGIONS[language])


def partial_day(value: str, language: Language) -> str:
    """A date whose day or month may be unknown (FHIR): 3 mei 2021, mei 2021, 2021."""
    match value.split("-"):
        case [year]:
            return year
        case [year, in_year]:
            return month(date(int(year), int(in_year), 1), language)
        case _:
            return day(date.fromisoformat(value), language)


def weekday(value: date, language: Language) -> str:
    """A day near now, with its weekday: donderdag 3 december."""
    return format_date(_local_day(value), _WEEKDAY[language], REGIONS[language])


def clock(value: datetime, language: Language) -> str:
    """A time of day: 15.30 uur, or 15:30."""
    written = format_time(_local(value), _CLOCK[language], locale=REGIONS[language])
    return _HOUR[language].format(written)


def clock_time(value: time, language: Language) -> str:
    """A time of day in a table: 15.30, or 15:30."""
    return value.strftime("%H.%M" if language == "nl" else "%H:%M").removeprefix("0")


def weekday_name(value: date, language: Language) -> str:
    """The short name of a day's weekday: ma, or Mon."""
    return format_date(value, "EEE", REGIONS[language])


def moment(value: datetime, language: Language) -> str:
    """A day and a time: 3 december 2026, 15.30 uur."""
    return f"{day(value, language)}, {clock(value, language)}"


def exact(value: datetime) -> str:
    """A moment for `datetime` attributes: ISO 8601 in UTC."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def number(value: Decimal | int | float, language: Language) -> str:
    """A number: 1.250, or 2,5."""
    return format_decimal(value, locale=REGIONS[language])


def percent(value: float, language: Language) -> str:
    """A share, 0 to 1: 42%."""
    return format_percent(value, locale=REGIONS[language])


def month(value: date, language: Language) -> str:
    """A month: december 2026."""
    return format_date(value, "LLLL y", REGIONS[language])


def short_month(value: date, language: Language) -> str:
    """A month in little room: dec 2026."""
    return format_datetime(
        datetime(value.year, value.month, value.day), "LLL y", locale=REGIONS[language]
    ).replace(".", "")


FILTERS: Mapping[str, Callable[..., str]] = {
    "day": day,
    "partial_day": partial_day,
    "weekday": weekday,
    "clock": clock,
    "moment": moment,
    "number": number,
    "percent": percent,
    "month": month,
    "short_month": short_month,
}
"""By their names in templates, where the page's language is added."""


def _local(value: datetime) -> datetime:
    return value.astimezone(AMSTERDAM)


def _local_day(value: Any) -> date:
    return _local(value).date() if isinstance(value, datetime) else value
