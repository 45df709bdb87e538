"""Tells whether an order's name for a medicine contradicts the name that the overview has for the same code.

An ordered name may say less than the overview's, and say it in another spelling: upper case, accents, another
order of words, a shortened word (`tabl` for `tablet`), a decimal point, another unit of the same strength
(`0,5 g` for `500 mg`). It contradicts the overview's as soon as it says something that the overview's does not,
another word or another number, and when it has no word at all. Names that look alike are more often two
medicines than one misspelt (prednison, prednisolon), so no word counts as nearly the same.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

_TOKEN = re.compile(r"(?P<number>\d+(?:[.,]\d+)?)(?P<unit>\s*[^\W\d_]+|\s*%)?|(?P<word>[^\W\d_]+)")

_SHORTEST = 3
"""The fewest letters to which a word may be shortened."""

_FILLERS = frozenset({"and", "en", "for", "in", "met", "of", "per", "van", "voor", "with"})

_MASSES = {
    **dict.fromkeys(("g", "gr", "gram"), (Decimal(1000), "mg")),
    **dict.fromkeys(("mg", "milligram"), (Decimal(1), "mg")),
    **dict.fromkeys(("mcg", "ug", "μg", "microg", "microgram"), (Decimal("0.001"), "mg")),
}
_UNITS = {
    **dict.fromkeys(("ml", "milliliter", "mililiter"), "ml"),
    **dict.fromkeys(("e", "ie", "iu", "eenheden"), "ie"),
    **dict.fromkeys(("do", "dos", "dosis", "doses"), "dosis"),
}


class _Amount(NamedTuple):
    """A number in a name; `unit` is None when none follows it."""

    value: Decimal
    unit: str | None


class _Said(NamedTuple):
    """What a name says."""

    words: frozenset[str]
    amounts: frozenset[_Amount]


def contradicts(ordered: str, listed: str) -> bool:
    """Tell whether the name in an order says something that the name in the overview (`listed`) does not."""
    if ordered == listed:
        return False
    ours, theirs = _said(ordered), _said(listed)
    return not (
        ours.words
        and all(_one_is_the_other(word, theirs.words) for word in ours.words)
        and all(_is_among(amount, theirs.amounts) for amount in ours.amounts)
    )


@lru_cache(maxsize=10_000)
def _said(name: str) -> _Said:
    words, amounts = set[str](), set[_Amount]()
    for token in _TOKEN.finditer(_folded(name)):
        if token["word"]:
            words.add(_UNITS.get(token["word"], token["word"]))
        else:
            amount, rest = _amount(token["number"], (token["unit"] or "").strip())
            amounts.add(amount)
            words.update(rest)
    return _Said(frozenset(words - _FILLERS), frozenset(amounts))


def _folded(name: str) -> str:
    """Fold case, and remove accents: `Nitrofurantoïne` becomes `nitrofurantoine`."""
    apart = unicodedata.normalize("NFKD", name.casefold())
    return "".join(c for c in apart if not unicodedata.combining(c))


def _amount(number: str, after: str) -> tuple[_Amount, Iterator[str]]:
    """The amount, and the word after the number when that is no unit."""
    value = Decimal(number.replace(",", "."))
    if after in _MASSES:
        factor, unit = _MASSES[after]
        return _Amount(value * factor, unit), iter(())
    if after in _UNITS or after == "%":
        return _Amount(value, _UNITS.get(after, after)), iter(())
    return _Amount(value, None), iter((after,) if after else ())


def _one_is_the_other(word: str, words: Iterable[str]) -> bool:
    """Tell whether one of these words is this one, or one of the two is the start of the other."""
    return any(
        word == other
        or (min(len(word), len(other)) >= _SHORTEST and word.startswith(other))
        or (min(len(word), len(other)) >= _SHORTEST and other.startswith(word))
        for other in words
    )


def _is_among(amount: _Amount, amounts: Iterable[_Amount]) -> bool:
    """Tell whether one of these amounts is this one; a number without a unit may stand for any unit."""
    return any(
        amount == other or (None in (amount.unit, other.unit) and amount.value == other.value)
        for other in amounts
    )
