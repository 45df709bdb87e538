"""Bodies of medication's API. An overview is shown as `schemas.medication.MedicationOverview`."""

from typing import Literal
from uuid import UUID

from pydantic import BaseModel

from schemas.base import Actor, Model, PatientId, PracticeAgb, Prk, Text
from schemas.medication import Medications, Status


class _ChangeRequest(Model):
    """Who changes an overview, and why. With the same `change_id` again it is the same change.

    `patient` may be left out; it is the path's.
    """

    patient: PatientId | None = None
    by: Actor
    reason: Text | None = None
    change_id: UUID | None = None


class OverviewRequest(_ChangeRequest):
    """The whole overview of a patient, as the practice's system has it; what is absent is gone."""

    practice: PracticeAgb
    medications: Medications


class StatusRequest(_ChangeRequest):
    """The status that one medicine gets; `prk` may be left out, it is the path's."""

    prk: Prk | None = None
    status: Status


class ChangeReceivedView(BaseModel):
    """A change that Kafka has and that may not be carried out yet."""

    change_id: UUID
    state: Literal["received"] = "received"
