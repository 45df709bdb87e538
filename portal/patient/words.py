"""What ordering says in codes, in a patient's words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from portal.web.formats import weekday
from portal.web.languages import mark
from portal.web.visit import Visit
from portal.web.words import Label
from schemas.base import Reviewer
from schemas.reasons import EXPLANATIONS, WAIT, Reason, ReasonCode
from schemas.records.orders import OrderState, Outcome


@dataclass(frozen=True)
class Why:
    """One reason: what is so, what to do, and the order that the medicine is in already."""

    code: ReasonCode
    why: str
    next_step: str
    order: UUID | None = None


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


_LOOKING: Mapping[Reviewer, str] = {
    Reviewer.ASSISTANT: mark("Your practice is looking at it"),
    Reviewer.GP: mark("Your GP is looking at it"),
    Reviewer.PHARMACY: mark("Your pharmacy is looking at it"),
}

LOOKS_FIRST: Mapping[Reviewer | None, str] = {
    None: mark("Your practice looks first"),
    Reviewer.ASSISTANT: mark("Your practice looks first"),
    Reviewer.GP: mark("Your GP looks first"),
    Reviewer.PHARMACY: mark("Your pharmacy looks first"),
}
"""Who looks at a medicine if it is ordered now."""

_AGAIN = mark("You can order it again from %(day)s.")
_AGAIN_IN_HOURS = mark("You can order it from %(day)s, at the times of your practice.")


def outcome_label(outcome: Outcome, reviewer: Reviewer | None = None) -> Label:
    """What became of one medicine, in a badge; `reviewer` is who is to decide it."""
    label = _OUTCOMES[outcome]
    if outcome is not Outcome.REVIEW or reviewer is None:
        return label
    return Label(_LOOKING[reviewer], label.kind)


def state_label(state: OrderState) -> Label:
    """Where an order stands, in a badge."""
    return _STATES[state]


def whys(visit: Visit, reasons: Sequence[Reason], outcome: Outcome) -> Sequence[Why]:
    """All reasons, each with what to do; a step that several have is said once, with the last of them."""
    steps = [_next_step(visit, reason, outcome) for reason in reasons]
    return [
        Why(
            reason.code,
            EXPLANATIONS[reason.code].why[visit.language],
            "" if step in steps[place + 1 :] else step,
            reason.other_order,
        )
        for place, (reason, step) in enumerate(zip(reasons, steps, strict=True))
    ]


def _next_step(visit: Visit, reason: Reason, outcome: Outcome) -> str:
    """What to do: wait while a person looks, come back on a day, or what the reason says."""
    if outcome is Outcome.REVIEW:
        return WAIT[visit.language]
    if reason.earliest_date is None:
        return EXPLANATIONS[reason.code].next_step[visit.language]
    in_hours = reason.code is ReasonCode.OUTSIDE_ORDER_HOURS
    said = visit.translate(_AGAIN_IN_HOURS if in_hours else _AGAIN)
    return said % {"day": weekday(reason.earliest_date, visit.language)}
