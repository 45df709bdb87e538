"""Words, days and numbers in the languages of explanations."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import TypeAlias

from babel.dates import format_date, format_time
from babel.numbers import format_decimal

from schemas.reasons import Language
from schemas.times import AMSTERDAM

Words: TypeAlias = Mapping[Language, str]
"""The same in each language."""

_LOCALE: Mapping[Language, str] = {"nl": "nl_NL", "en": "en_GB"}


def words(nl: str, en: str) -> Words:
    """The same in Dutch and in English."""
    return {"nl": nl, "en": en}


YES = words("ja", "yes")
NO = words("nee", "no")
NONE = words("geen", "none")
NOT_KNOWN = words("niet bekend", "not known")


@lru_cache(maxsize=5_000)
def day(value: date, language: Language) -> str:
    """A day: 3 december 2026."""
    return format_date(value, "d MMMM y", _LOCALE[language])


@lru_cache(maxsize=1_000)
def moment(value: datetime, language: Language) -> str:
    """A moment in Europe/Amsterdam: 3 december 2026, 15:30."""
    local = value.astimezone(AMSTERDAM)
    return f"{day(local.date(), language)}, {format_time(local, 'HH:mm', locale=_LOCALE[language])}"


@lru_cache(maxsize=1_000)
def number(value: Decimal | float, language: Language) -> str:
    """A number: 2,5."""
    return format_decimal(value, "0.##", _LOCALE[language], decimal_quantization=False)


def days(count: int, language: Language) -> str:
    """A number of days."""
    one, more = ("dag", "dagen") if language == "nl" else ("day", "days")
    return f"{count} {one if count == 1 else more}"
