"""What a message says, as facts: kept for good, and put into words when the message is read.

The sentences about a reason are stored as they were sent, so a later wording does not change old messages.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from enum import StrEnum
from typing import TypeAlias

from msgspec import Struct

from schemas.reasons import EXPLANATIONS, Language, Reason, ReasonCode
from schemas.records.directory import Pharmacy, Practice
from schemas.records.orders import DecidedLine, OrderLineDecided, Outcome
from services.notification.domain.pickup import Window


class NoPickup(StrEnum):
    """Why no pickup window could be given."""

    PRACTICE_UNKNOWN = "practice_unknown"
    PHARMACY_UNKNOWN = "pharmacy_unknown"
    NO_OPENING = "no_opening"


class PracticeContact(Struct, frozen=True):
    """The practice that answers; without name and phone when it is not in the directory."""

    agb: str
    name: str | None = None
    phone: str | None = None


class PharmacyContact(Struct, frozen=True):
    """Where to collect."""

    agb: str
    name: str
    address: str
    city: str
    phone: str


class ReasonText(Struct, frozen=True):
    """A reason with its sentences by language."""

    code: ReasonCode
    why: Mapping[Language, str]
    next_step: Mapping[Language, str]
    earliest_date: date | None = None


class AnsweredLine(Struct, frozen=True):
    """One line with its outcome."""

    line: int
    medicine: str
    quantity: int
    outcome: Outcome
    reasons: tuple[ReasonText, ...] = ()


class Answer(Struct, frozen=True):
    """The outcome of these lines, and when and where the approved ones can be collected.

    `window` is None without an approved line or a promise; `no_pickup` says why there is no promise.
    `explanation` is what the person who decided wrote.
    """

    practice: PracticeContact
    pharmacy: PharmacyContact | None
    lines: tuple[AnsweredLine, ...]
    window: Window | None = None
    no_pickup: NoPickup | None = None
    explanation: str | None = None


class Cancellation(Struct, frozen=True):
    """What is no longer made ready; `was_approved` when the pharmacy had a prescription."""

    practice: PracticeContact
    pharmacy: PharmacyContact | None
    medicines: tuple[str, ...]
    was_approved: bool
    by_practice: bool
    reason: str | None = None


Facts: TypeAlias = Answer | Cancellation


def practice_contact(agb: str, practice: Practice | None) -> PracticeContact:
    """A practice as a message names it."""
    return PracticeContact(agb, practice.name, practice.phone) if practice else PracticeContact(agb)


def pharmacy_contact(pharmacy: Pharmacy | None) -> PharmacyContact | None:
    """A pharmacy as a message names it; None for one that is not in the directory."""
    if pharmacy is None:
        return None
    return PharmacyContact(
        pharmacy.agb, pharmacy.name, pharmacy.address, pharmacy.city, pharmacy.phone
    )


def answered_line(line: DecidedLine | OrderLineDecided) -> AnsweredLine:
    """A decided line as a message names it."""
    return AnsweredLine(
        line.line, line.medicine, line.quantity, line.outcome, tuple(_reasons(line.reasons))
    )


def _reasons(reasons: Iterable[Reason]) -> Iterable[ReasonText]:
    for reason in reasons:
        text = EXPLANATIONS[reason.code]
        yield ReasonText(reason.code, text.why, text.next_step, reason.earliest_date)
