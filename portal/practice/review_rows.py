"""One line in review as the practice sees it: on the list, and after a decision in its place."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from portal.practice.words import (
    CHANGED,
    DECIDED,
    DECIDED_OTHERWISE,
    NO_REASON,
    REASONS,
    REVIEWERS,
    SIGNALS,
    WHO,
)
from portal.web import formats
from portal.web.field_errors import ShownError
from portal.web.languages import mark
from portal.web.names import PatientName
from portal.web.visit import Visit
from portal.web.words import Label, amount
from schemas.api.ordering import LineView, OrderView
from schemas.api.reviews import LineInReview, SignalledLine
from schemas.base import Actor
from schemas.reasons import Reason
from schemas.records.orders import Outcome


@dataclass(frozen=True)
class Why:
    """Why somebody looks, in English; from when it is not early, and the order that has the medicine too."""

    text: str
    earliest: date | None = None
    order: UUID | None = None


@dataclass(frozen=True)
class Row:
    """One line to decide. `name` is None when nobody knows it, or says it now.

    `reviewer` is who is to decide it. `changed` is what became of the medicine of an approved line, in English;
    `approved_at` is when that was approved. `sent_by_practice`: that prescription went out by hand.
    """

    order_id: UUID
    line: int
    patient: str
    name: PatientName | None
    medicine: str
    amount: str
    dosage: str
    ordered_as: str | None
    whys: Sequence[Why]
    remark: str | None
    supply_until: date | None
    placed_at: datetime
    reviewer: Label | None = None
    signals: Sequence[str] = ()
    changed: str | None = None
    approved_at: datetime | None = None
    sent_by_practice: bool = False
    typed: str = ""
    errors: Sequence[ShownError] = ()
    said: str | None = None

    @property
    def id(self) -> str:
        """What tells the row from others, in ids and addresses."""
        return f"{self.order_id}-{self.line}"

    @property
    def action(self) -> str:
        """Where its forms lead; the path names the patient."""
        return f"/practice/patients/{self.patient}/orders/{self.order_id}/lines/{self.line}/review"


@dataclass(frozen=True)
class Answer:
    """What became of a line, in the page's language; `kind` is the notice's colour."""

    row: Row
    text: str
    kind: str


def row_of(visit: Visit, found: LineInReview, name: PatientName | None) -> Row:
    """A line of the list."""
    return Row(
        found.order_id,
        found.line,
        found.patient,
        name,
        found.medicine,
        amount(found.quantity, found.unit, visit.language),
        found.dosage,
        found.ordered_as,
        _whys(found.reasons),
        found.remark,
        found.supply_until,
        found.placed_at,
        REVIEWERS[found.reviewer] if found.reviewer else None,
        [SIGNALS[signal] for signal in found.signals],
    )


def row_of_signalled(visit: Visit, found: SignalledLine, name: PatientName | None) -> Row:
    """An approved line whose medicine was stopped since."""
    return Row(
        found.order_id,
        found.line,
        found.patient,
        name,
        found.medicine,
        amount(found.quantity, found.unit, visit.language),
        found.dosage,
        None,
        (),
        None,
        None,
        found.placed_at,
        changed=CHANGED[found.signal],
        approved_at=found.approved_at,
        sent_by_practice=found.sent_by_practice,
    )


def row_of_order(visit: Visit, order: OrderView, line: LineView, name: PatientName | None) -> Row:
    """The same line, of its order."""
    return Row(
        order.order_id,
        line.line,
        order.patient,
        name,
        line.medicine,
        amount(line.quantity, line.unit, visit.language),
        line.dosage,
        line.ordered_as,
        _whys(line.reasons),
        order.remark,
        order.supply_until,
        order.placed_at,
        REVIEWERS[line.reviewer] if line.reviewer else None,
        [SIGNALS[signal] for signal in line.signals],
        CHANGED[line.signal] if line.signal else None,
        (line.decided_at or order.placed_at) if line.signal else None,
        line.sent_by_practice,
    )


def _whys(reasons: Sequence[Reason]) -> Sequence[Why]:
    said = [Why(REASONS[each.code], each.earliest_date, each.other_order) for each in reasons]
    return said or [Why(NO_REASON)]


def answer_of(visit: Visit, row: Row, order: OrderView, line: LineView) -> Answer:
    """What became of a line that was decided, and by whom."""
    match line.outcome:
        case Outcome.REVIEW:
            return Answer(row, visit.translate(TAKEN), "")
        case Outcome.APPROVED if line.signal is not None:
            return Answer(row, visit.translate(TAKEN), "")
        case Outcome.APPROVED:
            return Answer(row, _decided(visit, order, line), "good")
        case _:
            return Answer(row, _decided(visit, order, line), "")


TAKEN = mark("Your decision was received. It is carried out in a moment.")


def _decided(visit: Visit, order: OrderView, line: LineView) -> str:
    cancelled = order.cancellation if line.outcome is Outcome.CANCELLED else None
    who = cancelled.cancelled_by if cancelled else line.decided_by
    at = cancelled.cancelled_at if cancelled else line.decided_at
    text = visit.translate(DECIDED.get(line.outcome, DECIDED_OTHERWISE))
    return text % {
        "who": visit.translate(_who(visit, who)),
        "moment": formats.moment(at or order.placed_at, visit.language),
    }


def _who(visit: Visit, who: Actor | None) -> str:
    if who is None:
        return NOBODY
    return YOU if who.id == visit.session.claims.sub else WHO[who.role]


YOU = mark("You")
NOBODY = mark("A rule")
