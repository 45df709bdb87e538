"""An amount of medicine in the words of a language: `180 stuks`, `2,5 ml`, `200 doses`.

Units are the practice systems' free text; the G-Standaard's thesaurus of units has those of most medicines.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple

from babel.numbers import format_decimal

from schemas.reasons import Language
from services.notification.outside_text import one_line

_LOCALE: Mapping[Language, str] = {"nl": "nl_NL", "en": "en_GB"}


class _Unit(NamedTuple):
    """A unit: for exactly one and for other amounts, in each language, and how it is spelled in records."""

    nl: tuple[str, str]
    en: tuple[str, str]
    spellings: str


_UNITS = (
    _Unit(("stuk", "stuks"), ("piece", "pieces"), "stuk stuks stukken stk st piece pieces"),
    _Unit(
        ("ml", "ml"),
        ("ml", "ml"),
        "ml milliliter milliliters mililiter mililiters millilitre millilitres",
    ),
    _Unit(("gram", "gram"), ("gram", "grams"), "g gr gram grammen grams"),
    _Unit(("mg", "mg"), ("mg", "mg"), "mg milligram milligrammen milligrams"),
    _Unit(("dosis", "doses"), ("dose", "doses"), "dosis doses dosissen dosering doseringen dose"),
    _Unit(("druppel", "druppels"), ("drop", "drops"), "druppel druppels drop drops"),
    _Unit(("tablet", "tabletten"), ("tablet", "tablets"), "tablet tabletten tablets tabl"),
    _Unit(("capsule", "capsules"), ("capsule", "capsules"), "capsule capsules caps"),
    _Unit(
        ("internationale eenheid", "internationale eenheden"),
        ("international unit", "international units"),
        "ie iu internationale_eenheid internationale_eenheden international_unit international_units",
    ),
)

_BY_SPELLING = {
    spelling.replace("_", " "): unit for unit in _UNITS for spelling in unit.spellings.split()
}


def amount(quantity: Decimal, unit: str | None, language: Language) -> str:
    """The amount with its unit; the number alone without one. A unit that is not known is shown as it is."""
    number = format_decimal(
        quantity, format="0.##", locale=_LOCALE[language], decimal_quantization=False
    )
    said: str = one_line(unit or "")
    if not said:
        return number
    if known := _BY_SPELLING.get(said.casefold().replace(".", "")):
        one, other = known.nl if language == "nl" else known.en
        return f"{number} {one if quantity == 1 else other}"
    # A unit such as `10 ml flacon` must not extend the number before it.
    return f"{number} {said}" if said[0].isalpha() else f"{number} × {said}"
