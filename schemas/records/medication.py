"""A patient's medication overview, and the commands that change it."""

from datetime import date
from enum import StrEnum
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints

from schemas.base import (
    Actor,
    Body,
    Many,
    Model,
    Name,
    PatientId,
    PracticeAgb,
    Prk,
    Text,
    UtcDatetime,
    Version,
)
from schemas.numbers import WHOLE, Quantity


def _on_the_calendar(written: str) -> str:
    """Raise ValueError for a day that its month does not have."""
    if len(written) == len("1998-05-31"):
        date.fromisoformat(written)
    return written


PartialDate = Annotated[
    str,
    StringConstraints(
        pattern=r"^([0-9]([0-9]([0-9][1-9]|[1-9]0)|[1-9]00)|[1-9]000)"
        r"(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?$"
    ),
    AfterValidator(_on_the_calendar),
]
"""A date whose day, or day and month, may be unknown (FHIR's `date`): `1998-05-31`, `1998-05`, `1998`."""


class Status(StrEnum):
    """The status of a medicine in an overview. Only `chronic` medication can be ordered."""

    CHRONIC = "chronic"
    TEMPORARY = "temporary"
    STOPPED = "stopped"


class Medication(Model):
    """One entry of an overview; `quantity` in `unit` is what is usually supplied, for `days_supply` days.

    A medicine may have several: two dosages on different days, or a course that was stopped and a later one.
    """

    prk: Prk
    medicine: Name
    status: Status
    dosage: Text
    quantity: Quantity
    unit: Name
    days_supply: Annotated[int, Field(ge=1, le=3650), WHOLE] | None = None
    last_ordered_on: PartialDate | None = None
    prescribed_on: PartialDate | None = None
    authorised_until: date | None = None
    high_risk: bool = False
    repeat_service: bool = False
    reviewed_at: UtcDatetime | None = None


Medications = Annotated[Many[Medication], Field(max_length=200)]


class Change(Model):
    """The change that led to this version of the overview."""

    change_id: UUID
    kind: Literal["import", "set_status", "review", "sweep", "undo", "repeat_service", "ordered"]
    by: Actor
    reason: Text | None = None


class MedicationOverview(Body):
    """The whole current overview of one patient; `version` rises by one with every change."""

    TYPE: ClassVar[str] = "medication.overview.v1"

    patient: PatientId
    practice: PracticeAgb
    version: Version
    changed_at: UtcDatetime
    change: Change
    medications: Medications


class _Command(Body):
    change_id: UUID
    patient: PatientId
    by: Actor
    reason: Text | None = None


class MedicationImport(_Command):
    """The practice's system sends the whole overview of one patient; medicines that are absent are removed."""

    TYPE: ClassVar[str] = "medication.import.v1"

    practice: PracticeAgb
    medications: Medications


class MedicationSetStatus(_Command):
    """Set the status of one medicine, by somebody of the practice.

    Of several entries of a medicine, those that are not stopped change; when all are stopped, all change.
    """

    TYPE: ClassVar[str] = "medication.set-status.v1"

    prk: Prk
    status: Status


class MedicationVisit(_Command):
    """The patient visits the practice: the overview goes on the review worklist."""

    TYPE: ClassVar[str] = "medication.visit.v1"

    practice: PracticeAgb
    visited_at: UtcDatetime


class ReviewedStatus(Model):
    """The status of one medicine after a review."""

    prk: Prk
    status: Status


class MedicationReview(_Command):
    """Somebody of the practice reviewed the overview at a visit."""

    TYPE: ClassVar[str] = "medication.review.v1"

    statuses: Annotated[Many[ReviewedStatus], Field(max_length=200)]


class MedicationRepeatService(_Command):
    """A medicine enters or leaves the pharmacy's repeat service."""

    TYPE: ClassVar[str] = "medication.repeat-service.v1"

    prk: Prk
    enrolled: bool


class MedicationUndo(_Command):
    """Undo an earlier change."""

    TYPE: ClassVar[str] = "medication.undo.v1"

    undoes: UUID


class MedicationSweep(_Command):
    """Make chronic medication temporary that, at `as_of`, has not been ordered for a long time."""

    TYPE: ClassVar[str] = "medication.sweep.v1"

    as_of: UtcDatetime
