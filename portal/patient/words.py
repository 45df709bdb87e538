"""What ordering says in codes, in a patient's words."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from portal.web import formats
from portal.web.languages import mark
from schemas.reasons import EXPLANATIONS, Language, Reason
from schemas.records.orders import OrderState, Outcome

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
class Why:
    """One reason: what is so, what to do, and from when it can be ordered, if that is known."""

    why: str
    next_step: str
    earliest: date | None


@dataclass(frozen=True)
class Label:
    """A short word in a badge; `kind` is its colour."""

    text: str
    kind: str


_OUTCOMES: Mapping[Outcome, Label] = {
    Outcome.APPROVED: Label(mark("Approved"), "good"),
    Outcome.REVIEW: Label(mark("Your practice is looking at it"), "care"),
    Outcome.WAITING: Label(mark("Waiting for your medication list"), "care"),
    Outcome.E_CONSULT: Label(mark("Not in your list"), "bad"),
    Outcome.REPEAT_SERVICE: Label(mark("Your pharmacy takes care of it"), ""),
    Outcome.REFUSED: Label(mark("Not approved"), "bad"),
    Outcome.CANCELLED: Label(mark("Cancelled"), ""),
}

_STATES: Mapping[OrderState, Label] = {
    OrderState.APPROVED: Label(mark("Approved"), "good"),
    OrderState.PARTLY_APPROVED: Label(mark("Partly approved"), "care"),
    OrderState.IN_REVIEW: Label(mark("Your practice is looking at it"), "care"),
    OrderState.WAITING: Label(mark("Waiting for your medication list"), "care"),
    OrderState.REFUSED: Label(mark("Not approved"), "bad"),
    OrderState.CANCELLED: Label(mark("Cancelled"), ""),
}


def outcome_label(outcome: Outcome) -> Label:
    """What became of one medicine, in a badge."""
    return _OUTCOMES[outcome]


def state_label(state: OrderState) -> Label:
    """Where an order stands, in a badge."""
    return _STATES[state]


def amount(quantity: Decimal, unit: str | None, language: Language) -> str:
    """How much: 180 stuks, 1 dosis, 2,5 ml."""
    return f"{formats.number(quantity, language)} {unit_of(quantity, unit, language)}".strip()


def unit_of(quantity: Decimal, unit: str | None, language: Language) -> str:
    """The unit of an amount."""
    if unit is None:
        return ""
    known = UNITS.get(unit.lower())
    return known[language][0 if quantity == 1 else 1] if known else unit


def whys(reasons: Iterable[Reason], language: Language) -> Sequence[Why]:
    """All reasons, each with what to do."""
    return [
        Why(
            EXPLANATIONS[reason.code].why[language],
            EXPLANATIONS[reason.code].next_step[language],
            reason.earliest_date,
        )
        for reason in reasons
    ]
