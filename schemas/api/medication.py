"""Bodies of medication's API. An overview is a `schemas.records.medication.MedicationOverview`."""

from typing import Literal
from uuid import UUID

from pydantic import BaseModel

from schemas.base import Actor, Model, PatientId, PracticeAgb, Prk, Text
from schemas.records.medication import SentMedications, Status


class _ChangeRequest(Model):
    """Who changes an overview, and why. A request with the same `change_id` is a repeat of the same change.

    `patient` is optional; it must equal the one in the path. `by` is the token's bearer for a person, who may
    leave it out. A system must name for whom it acts.
    """

    patient: PatientId | None = None
    by: Actor | None = None
    reason: Text | None = None
    change_id: UUID | None = None


class OverviewRequest(_ChangeRequest):
    """A patient's whole overview from the practice's system; medicines left out are removed.

    An entry with a wrong or missing field does not cost the others: the overview lists it in `flaws`.
    """

    practice: PracticeAgb
    medications: SentMedications


class StatusRequest(_ChangeRequest):
    """The new status of one medicine; `prk` is optional and must equal the one in the path."""

    prk: Prk | None = None
    status: Status


class ChangeReceivedView(BaseModel):
    """A change that Kafka acknowledged and that may not be applied yet."""

    change_id: UUID
    state: Literal["received"] = "received"
