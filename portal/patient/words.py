"""What ordering says in codes, in a patient's words."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from portal.web.languages import mark
from portal.web.words import Label
from schemas.reasons import EXPLANATIONS, Language, Reason
from schemas.records.orders import OrderState, Outcome


@dataclass(frozen=True)
class Why:
    """One reason: what is so, what to do, and from when it can be ordered, if that is known."""

    why: str
    next_step: str
    earliest: date | None


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
