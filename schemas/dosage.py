"""Reads a Dutch dosage text, or says that it cannot.

A text that is not wholly understood is None, never half read: a guess could be a wrong dose.
`docs/architecture/supplies.md` lists what is read, and why the rest is not.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from msgspec import Struct


class Period(StrEnum):
    """A unit of time in which a dosage is counted."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


_DAYS: Mapping[Period, int] = {Period.DAY: 1, Period.WEEK: 7, Period.MONTH: 30}

_PIECES = (
    *("tablet", "tabletten", "capsule", "capsules", "sachet", "sachets", "zakje", "zakjes"),
    *("pleister", "pleisters", "stuk", "stuks"),
)
_DOSES = ("dosis", "doses", "puf", "pufs", "pufje", "pufjes", "inhalatie", "inhalaties")
_DROPS = ("druppel", "druppels")
_MILLILITRES = ("ml", "milliliter")

COUNTED: Mapping[str, tuple[str, ...]] = {
    word: words for words in (_PIECES, _DOSES, _DROPS, _MILLILITRES) for word in words
}
"""What may be taken, in the words of dosages, each with the units of quantities that count the same."""

_WHOLE = _PIECES + _DOSES
"""Units that "2x daags 1" counts in: things, not a fluid."""

_MEALS = ("bij het eten", "na het eten", "nuchter")
_DAY_PARTS = ("voor de nacht", "'s ochtends", "'s avonds")
_WEEKDAYS = tuple(
    f"op {day}"
    for day in ("maandag", "dinsdag", "woensdag", "donderdag", "vrijdag", "zaterdag", "zondag")
)
MOMENTS = _MEALS + _DAY_PARTS + _WEEKDAYS
"""When a dose may be taken, in the words of dosages."""


class Dosage(Struct, frozen=True):
    """`times` in `every` periods (2 with WEEK: in two weeks), each time `amount` of `what`, `when`.

    A range such as "1-2" has its larger number as `most`. `what` is a word of `COUNTED`, `when` of `MOMENTS`.
    """

    times: int
    every: int
    period: Period
    amount: Decimal
    most: Decimal | None = None
    what: str | None = None
    when: str | None = None

    @property
    def per_days(self) -> int:
        """The days in which it is taken `times` times: 1 for a day, 7 for a week, 30 for a month."""
        return self.every * _DAYS[self.period]

    @property
    def daily_amount(self) -> Fraction | None:
        """How much a day, exactly, as 4 a week is no decimal number; None for a range."""
        if self.most is not None:
            return None
        return Fraction(self.amount) * self.times / self.per_days

    @property
    def is_daily(self) -> bool:
        """Whether it is taken at least once a day."""
        return self.times >= self.per_days

    @property
    def is_weekly(self) -> bool:
        """Whether it is taken once a week."""
        return self.times == 1 and self.per_days == _DAYS[Period.WEEK]

    def days_of(self, quantity: Decimal, unit: str) -> int | None:
        """Compute how many whole days a quantity lasts; None for a range, or when `unit` counts something else.

        Five drops a day say nothing of a bottle in `ml`.
        """
        daily = self.daily_amount
        units = _WHOLE if self.what is None else COUNTED[self.what]
        if daily is None or unit.strip().casefold() not in units:
            return None
        return int(Fraction(quantity) / daily)


def _any_of(words: tuple[str, ...]) -> str:
    return "|".join(sorted(words, key=len, reverse=True))


_NUMBER = r"(?:[0-9]{1,3}[.,][0-9]{1,2}|[0-9]{0,3} ?[¼½¾]|[0-9]{1,3})"
_AMOUNT = rf"(?P<amount>{_NUMBER})(?: ?(?:-|–|à|tot|of) ?(?P<most>{_NUMBER}))?"
_WHAT = rf"(?: ?(?P<what>{_any_of(tuple(COUNTED))}))"
_WHEN = rf"(?:,? (?P<when>{_any_of(MOMENTS)}))?"
_SEVERAL = r"(?P<every>[1-9][0-9]?) (?P<several>dagen|weken|maanden)"
_PER = rf"(?P<daily>daags)|per (?:(?P<one>dag|week|maand)|{_SEVERAL})"
_OFTEN = rf"(?P<times>[1-9][0-9]?) ?(?:(?:x|×|keer|maal) (?:{_PER})|dd)"

_FORMS = tuple(
    re.compile(form)
    for form in (
        rf"{_OFTEN}[,:]? ?{_AMOUNT}{_WHAT}?{_WHEN}",
        rf"{_AMOUNT}{_WHAT},? {_OFTEN}{_WHEN}",
        rf"(?:elke|iedere) (?P<one>dag|week|maand) {_AMOUNT}{_WHAT}?{_WHEN}",
        rf"om de (?:(?P<other>dag|week|maand)|{_SEVERAL}) {_AMOUNT}{_WHAT}?{_WHEN}",
        rf"(?P<times>[1-9][0-9]?)(?P<letter>[dw]){_AMOUNT}(?P<tablet>t)?",
    )
)
"""The last is a code of NHG table 25, with the letters that public sources give."""

_PERIODS: Mapping[str, Period] = {
    "daags": Period.DAY,
    "dag": Period.DAY,
    "dagen": Period.DAY,
    "d": Period.DAY,
    "week": Period.WEEK,
    "weken": Period.WEEK,
    "w": Period.WEEK,
    "maand": Period.MONTH,
    "maanden": Period.MONTH,
}
_PARTS: Mapping[str, Decimal] = {"¼": Decimal("0.25"), "½": Decimal("0.5"), "¾": Decimal("0.75")}


def read_dosage(text: str) -> Dosage | None:
    """Read a dosage; None for a text that is not wholly understood, such as one with "zo nodig"."""
    plain = " ".join(text.casefold().replace("’", "'").split()).removesuffix(".")
    for form in _FORMS:
        if found := form.fullmatch(plain):
            parts = {name: part for name, part in found.groupdict().items() if part}
            dosage = _dosage(parts)
            return dosage if _is_clear(dosage, says_times="times" in parts) else None
    return None


def _dosage(parts: Mapping[str, str]) -> Dosage:
    every, period = _per(parts)
    amount = _number(parts["amount"])
    most = _number(parts["most"]) if "most" in parts else None
    what = parts.get("what")
    if "tablet" in parts:
        what = "tablet" if (most or amount) <= 1 else "tabletten"
    times = int(parts.get("times", 1))
    return Dosage(times, every, period, amount, most, what, parts.get("when"))


def _per(parts: Mapping[str, str]) -> tuple[int, Period]:
    """How many periods, and which."""
    if "several" in parts:
        return int(parts["every"]), _PERIODS[parts["several"]]
    if "other" in parts:
        return 2, _PERIODS[parts["other"]]
    named = parts.get("daily") or parts.get("one") or parts.get("letter")
    return 1, Period.DAY if named is None else _PERIODS[named]


def _number(written: str) -> Decimal:
    part = _PARTS.get(written[-1])
    if part is None:
        return Decimal(written.replace(",", "."))
    return Decimal(written[:-1].strip() or 0) + part


def _is_clear(dosage: Dosage, says_times: bool) -> bool:
    """Whether no part contradicts another, or leaves something open."""
    if dosage.amount <= 0 or (dosage.most is not None and dosage.most <= dosage.amount):
        return False
    if not says_times and (dosage.most or dosage.amount) > 1:
        return False  # "elke dag 2": at once, or one in the morning and one at night?
    if dosage.when in _DAY_PARTS:
        return dosage.times <= dosage.per_days
    if dosage.when in _WEEKDAYS:
        return dosage.times == 1 and dosage.period is Period.WEEK
    return True
