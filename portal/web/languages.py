"""The languages of pages: texts by gettext, English in the code and Dutch in `locales/nl/portal.po`."""

import gettext
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from babel.core import Locale, UnknownLocaleError, negotiate_locale
from babel.messages.catalog import Message
from babel.messages.pofile import read_po

from schemas.reasons import LANGUAGES, Language

LOCALES = Path(__file__).parents[1] / "locales"
DEFAULT: Language = "nl"

REGIONS: Mapping[Language, Locale] = {"nl": Locale("nl", "NL"), "en": Locale("en", "GB")}
"""How people of a language write dates and numbers."""


class Translations(gettext.NullTranslations):
    """The texts of one `.po` file; a text that it does not have is shown in English."""

    def __init__(self, messages: Mapping[str, Message]) -> None:
        super().__init__()
        self._messages = messages

    def gettext(self, message: str) -> str:
        """The text in this language."""
        found = self._messages.get(message)
        said = found.string if found is not None else None
        return said if isinstance(said, str) and said else message

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        """The text for one or for several."""
        found = self._messages.get(msgid1)
        english = msgid1 if n == 1 else msgid2
        if found is None or not isinstance(found.string, tuple):
            return english
        return found.string[0 if n == 1 else 1] or english


@cache
def translations(language: Language) -> Translations:
    """The texts of a language, read once."""
    if language == "en":
        return Translations({})
    with (LOCALES / language / "portal.po").open("rb") as file:
        catalog = read_po(file, locale=language)
    return Translations({_first(each): each for each in catalog if each.id})


def _first(message: Message) -> str:
    """The text that a message stands for; of one with a plural, the one for one."""
    ids: Any = message.id
    return ids if isinstance(ids, str) else str(ids[0])


def known(language: str | None) -> Language | None:
    """A language of ours; None for anything else."""
    return next((each for each in LANGUAGES if each == language), None)


def accepted(header: str) -> Language | None:
    """The first language of ours in an `Accept-Language` header, by its weights."""
    weighted = [_weighted(part) for part in header[:500].split(",")]
    wanted = [tag for weight, tag in sorted(weighted, key=lambda one: -one[0]) if weight > 0]
    try:
        return known(negotiate_locale(wanted, LANGUAGES, sep="-"))
    except (UnknownLocaleError, ValueError):
        return None


def _weighted(part: str) -> tuple[float, str]:
    tag, _, weight = part.partition(";")
    try:
        return float(weight.strip().removeprefix("q=") or 1), tag.strip()
    except ValueError:
        return 0.0, ""


def mark(message: str) -> str:
    """Mark a text of the code for translation where it is written, not where it is shown."""
    return message
