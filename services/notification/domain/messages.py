"""The facts of a message: stored for good, and rendered as text when the message is read.

The sentences of a reason are stored with them, so that a later wording does not change old messages.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

from msgspec import Struct

from schemas.base import Role
from schemas.reasons import EXPLANATIONS, WAIT, Language, ReasonCode
from schemas.records.directory import Pharmacy, Practice
from schemas.records.orders import DecidedLine, OrderLineDecided, Outcome
from services.notification.domain.pickup import Window


class NoPickup(StrEnum):
    """Why a message has no pickup window."""

    PRACTICE_UNKNOWN = "practice_unknown"
    PHARMACY_UNKNOWN = "pharmacy_unknown"
    NO_OPENING = "no_opening"


class PracticeContact(Struct, frozen=True):
    """The practice of the order; without name and phone when it is not in the directory."""

    agb: str
    name: str | None = None
    phone: str | None = None


class PharmacyContact(Struct, frozen=True):
    """The pharmacy where the patient collects."""

    agb: str
    name: str
    address: str
    city: str
    phone: str


class ReasonText(Struct, frozen=True):
    """A reason with its sentences, by language."""

    code: ReasonCode
    why: Mapping[Language, str]
    next_step: Mapping[Language, str]
    earliest_date: date | None = None


class AnsweredLine(Struct, frozen=True):
    """One line with its outcome; `unit` is the overview's, None without one.

    `ordered_as` is the order's name for the medicine where it contradicts the overview's. `sent_by_practice`:
    the practice sends the prescription to the pharmacy itself, so that we know nothing of when it is ready.
    """

    line: int
    medicine: str
    quantity: Decimal | None
    outcome: Outcome
    reasons: tuple[ReasonText, ...] = ()
    unit: str | None = None
    ordered_as: str | None = None
    sent_by_practice: bool = False


class OtherLine(Struct, frozen=True):
    """A line of the order that the message is not about, with its outcome at that time."""

    medicine: str
    outcome: Outcome


class Answer(Struct, frozen=True):
    """The outcomes of lines, and when and where the approved ones can be collected.

    `window` is None without an approved line or without a promise; `no_pickup` is why there is no promise.
    `withdrawn`: the line was approved before, and is no longer.
    `explanation` is the reviewer's text, and `explained_by` the reviewer's role. `rest` has the other lines of
    the order.
    """

    practice: PracticeContact
    pharmacy: PharmacyContact | None
    lines: tuple[AnsweredLine, ...]
    window: Window | None = None
    no_pickup: NoPickup | None = None
    explanation: str | None = None
    explained_by: Role | None = None
    rest: tuple[OtherLine, ...] = ()
    withdrawn: bool = False


class Cancellation(Struct, frozen=True):
    """A cancelled order; `was_approved` if the pharmacy had a prescription for at least one line.

    `by` is the role of who cancelled; None in older messages, which tell only whether it was the practice.
    `reason` is None when the patient or a proxy cancelled, as they wrote it to the practice. `rest` has the
    lines that were not cancelled.
    """

    practice: PracticeContact
    pharmacy: PharmacyContact | None
    medicines: tuple[str, ...]
    was_approved: bool
    by_practice: bool
    reason: str | None = None
    by: Role | None = None
    rest: tuple[OtherLine, ...] = ()


Facts: TypeAlias = Answer | Cancellation


def practice_contact(agb: str, practice: Practice | None) -> PracticeContact:
    """The contact data of a practice, for a message."""
    return PracticeContact(agb, practice.name, practice.phone) if practice else PracticeContact(agb)


def pharmacy_contact(pharmacy: Pharmacy | None) -> PharmacyContact | None:
    """The contact data of a pharmacy, for a message; None if it is not in the directory."""
    if pharmacy is None:
        return None
    return PharmacyContact(
        pharmacy.agb, pharmacy.name, pharmacy.address, pharmacy.city, pharmacy.phone
    )


def answered_line(line: DecidedLine | OrderLineDecided) -> AnsweredLine:
    """A decided line, for a message."""
    return AnsweredLine(
        line.line,
        line.medicine,
        line.quantity,
        line.outcome,
        tuple(_reasons(line)),
        line.unit,
        line.ordered_as,
        line.sent_by_practice,
    )


def _reasons(line: DecidedLine | OrderLineDecided) -> Iterable[ReasonText]:
    in_review = line.outcome is Outcome.REVIEW
    for reason in line.reasons:
        text = EXPLANATIONS[reason.code]
        next_step = WAIT if in_review else text.next_step
        yield ReasonText(reason.code, text.why, next_step, reason.earliest_date)
