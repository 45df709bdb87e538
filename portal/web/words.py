"""Words that pages of several rooms use: amounts with their units, and badges."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from portal.web import formats
from schemas.reasons import Language

UNITS: Mapping[str, Mapping[Language, tuple[str, str]]] = {
    "stuk": {"nl": ("stuk", "stuks"), "en": ("piece", "pieces")},
    "dosis": {"nl": ("dosis", "doses"), "en": ("dose", "doses")},
    "gram": {"nl": ("gram", "gram"), "en": ("gram", "grams")},
    "g": {"nl": ("gram", "gram"), "en": ("gram", "grams")},
    "ml": {"nl": ("ml", "ml"), "en": ("ml", "ml")},
    "milliliter": {"nl": ("ml", "ml"), "en": ("ml", "ml")},
}
"""Units of the G-Standaard, for one and for several; another is shown as the practice's system wrote it."""


@dataclass(frozen=True)
class Label:
    """A short word in a badge, in English; `kind` is its colour."""

    text: str
    kind: str


def amount(quantity: Decimal | None, unit: str | None, language: Language) -> str:
    """How much: 180 stuks, 1 dosis, 2,5 ml; empty while nobody has said how much."""
    if quantity is None:
        return ""
    return f"{formats.number(quantity, language)} {unit_of(quantity, unit, language)}".strip()


def unit_of(quantity: Decimal, unit: str | None, language: Language) -> str:
    """The unit of an amount."""
    if unit is None:
        return ""
    known = UNITS.get(unit.lower())
    return known[language][0 if quantity == 1 else 1] if known else unit
