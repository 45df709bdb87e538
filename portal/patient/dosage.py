"""How to take a medicine, in plain words, where the practice's text is one of the usual short forms.

A text that is not wholly one of these is shown as the practice wrote it: half a translation could be a wrong
dose.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from schemas.reasons import Language

_AMOUNT = r"(?P<amount>\d+(?:[-–]\d+)?|½|1½)"
_WHAT = r"(?: (?P<what>tablet|tabletten|capsule|capsules|pufje|pufjes|sachet|sachets|druppel|druppels))?"
_WHEN = r"(?:,? (?P<when>voor de nacht|'s ochtends|'s avonds|bij het eten|na het eten|nuchter))?"
_REGULAR = re.compile(
    rf"(?P<times>\d+) ?x (?P<per>daags|per dag|per week|per maand) {_AMOUNT}{_WHAT}{_WHEN}"
)
_WHEN_NEEDED = re.compile(rf"zo nodig {_AMOUNT}{_WHAT}")
_AS_SCHEDULED = re.compile(r"volgens (?:doseerkalender|schema)")

_PER: Mapping[str, Mapping[Language, str]] = {
    "daags": {"nl": "per dag", "en": "a day"},
    "per dag": {"nl": "per dag", "en": "a day"},
    "per week": {"nl": "per week", "en": "a week"},
    "per maand": {"nl": "per maand", "en": "a month"},
}
_THINGS: Mapping[str, str] = {
    "tablet": "tablet",
    "tabletten": "tablets",
    "capsule": "capsule",
    "capsules": "capsules",
    "pufje": "puff",
    "pufjes": "puffs",
    "sachet": "sachet",
    "sachets": "sachets",
    "druppel": "drop",
    "druppels": "drops",
}
_MOMENTS: Mapping[str, str] = {
    "voor de nacht": "at bedtime",
    "'s ochtends": "in the morning",
    "'s avonds": "in the evening",
    "bij het eten": "with a meal",
    "na het eten": "after a meal",
    "nuchter": "on an empty stomach",
}


@dataclass(frozen=True)
class Dosage:
    """How to take a medicine; `language` is that of the text, which may be the practice's own."""

    text: str
    language: Language


def in_words(written: str, language: Language) -> Dosage:
    """The dosage in this language, or else as the practice wrote it, in Dutch."""
    text = written.strip()
    if found := _REGULAR.fullmatch(text):
        return Dosage(_regular(found, language), language)
    if found := _WHEN_NEEDED.fullmatch(text):
        start = {"nl": "als het nodig is", "en": "when needed"}[language]
        return Dosage(f"{start} {found['amount']}{_what(found, language)}", language)
    if found := _AS_SCHEDULED.fullmatch(text):
        words = {"nl": f"{text}", "en": "by your dosing calendar"}[language]
        return Dosage(words, language)
    return Dosage(written, "nl")


def _regular(found: "re.Match[str]", language: Language) -> str:
    times = int(found["times"])
    often = _often(times, language)
    per = _PER[found["per"]][language]
    when = found["when"]
    moment = "" if when is None else f", {when if language == 'nl' else _MOMENTS[when]}"
    return f"{often} {per} {found['amount']}{_what(found, language)}{moment}"


def _often(times: int, language: Language) -> str:
    if language == "nl":
        return f"{times} keer"
    return {1: "once", 2: "twice"}.get(times, f"{times} times")


def _what(found: "re.Match[str]", language: Language) -> str:
    what = found["what"]
    if what is None:
        return ""
    return f" {what if language == 'nl' else _THINGS[what]}"
