"""How to take a medicine, in plain words, where the practice's text is one of the usual short forms.

A text that is not wholly one of these is shown as the practice wrote it: half a translation could be a wrong
dose.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from portal.web import formats
from schemas import dosage
from schemas.dosage import Period, read_dosage
from schemas.reasons import Language

_PERIODS: Mapping[Period, Mapping[Language, tuple[str, str]]] = {
    Period.DAY: {"nl": ("dag", "dagen"), "en": ("day", "days")},
    Period.WEEK: {"nl": ("week", "weken"), "en": ("week", "weeks")},
    Period.MONTH: {"nl": ("maand", "maanden"), "en": ("month", "months")},
}
_THINGS: Mapping[str, str] = {
    "tablet": "tablet",
    "tabletten": "tablets",
    "capsule": "capsule",
    "capsules": "capsules",
    "sachet": "sachet",
    "sachets": "sachets",
    "zakje": "sachet",
    "zakjes": "sachets",
    "pleister": "patch",
    "pleisters": "patches",
    "stuk": "piece",
    "stuks": "pieces",
    "dosis": "dose",
    "doses": "doses",
    "puf": "puff",
    "pufs": "puffs",
    "pufje": "puff",
    "pufjes": "puffs",
    "inhalatie": "inhalation",
    "inhalaties": "inhalations",
    "druppel": "drop",
    "druppels": "drops",
    "ml": "ml",
    "milliliter": "ml",
}
_MOMENTS: Mapping[str, str] = {
    "voor de nacht": "at bedtime",
    "'s ochtends": "in the morning",
    "'s avonds": "in the evening",
    "bij het eten": "with a meal",
    "na het eten": "after a meal",
    "nuchter": "on an empty stomach",
    "op maandag": "on Monday",
    "op dinsdag": "on Tuesday",
    "op woensdag": "on Wednesday",
    "op donderdag": "on Thursday",
    "op vrijdag": "on Friday",
    "op zaterdag": "on Saturday",
    "op zondag": "on Sunday",
}
_FRACTIONS: Mapping[Decimal, str] = {
    Decimal("0.25"): "¼",
    Decimal("0.5"): "½",
    Decimal("0.75"): "¾",
}

_WHEN_NEEDED = re.compile(rf"zo nodig ([0-9]+(?:[-–][0-9]+)?)(?: ({'|'.join(_THINGS)}))?")
_AS_SCHEDULED = re.compile(r"volgens (?:doseerkalender|schema)")


@dataclass(frozen=True)
class Dosage:
    """How to take a medicine; `language` is that of the text, which may be the practice's own."""

    text: str
    language: Language


def in_words(written: str, language: Language) -> Dosage:
    """The dosage in this language, or else as the practice wrote it, in Dutch."""
    if read := read_dosage(written):
        return Dosage(_regular(read, language), language)
    text = written.strip()
    if found := _WHEN_NEEDED.fullmatch(text):
        start = {"nl": "als het nodig is", "en": "when needed"}[language]
        return Dosage(f"{start} {found[1]}{_what(found[2], language)}", language)
    if _AS_SCHEDULED.fullmatch(text):
        words = {"nl": text, "en": "by your dosing calendar"}[language]
        return Dosage(words, language)
    return Dosage(written, "nl")


def _regular(read: dosage.Dosage, language: Language) -> str:
    often, per = _often(read.times, language), _per(read, language)
    when = read.when
    moment = "" if when is None else f", {when if language == 'nl' else _MOMENTS[when]}"
    return f"{often} {per} {_amount(read, language)}{_what(read.what, language)}{moment}"


def _often(times: int, language: Language) -> str:
    if language == "nl":
        return f"{times} keer"
    return {1: "once", 2: "twice"}.get(times, f"{times} times")


def _per(read: dosage.Dosage, language: Language) -> str:
    one, several = _PERIODS[read.period][language]
    if read.every == 1:
        return {"nl": f"per {one}", "en": f"a {one}"}[language]
    return {"nl": f"per {read.every} {several}", "en": f"every {read.every} {several}"}[language]


def _amount(read: dosage.Dosage, language: Language) -> str:
    least = _number(read.amount, language)
    return least if read.most is None else f"{least}-{_number(read.most, language)}"


def _number(exact: Decimal, language: Language) -> str:
    """The number, with ½ as it stands on a label: no comma to be overlooked."""
    if (sign := _FRACTIONS.get(exact % 1)) is None:
        return formats.number(exact, language)
    return f"{int(exact) or ''}{sign}"


def _what(what: str | None, language: Language) -> str:
    if what is None:
        return ""
    return f" {what if language == 'nl' else _THINGS[what]}"
