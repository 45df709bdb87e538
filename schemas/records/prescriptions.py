"""What pharmacies receive, and what they report."""

from datetime import date
from typing import ClassVar, Literal

from schemas.base import (
    Actor,
    Body,
    LineNumber,
    Name,
    OrderId,
    PatientId,
    PharmacyAgb,
    PracticeAgb,
    Prk,
    Text,
    UtcDatetime,
)
from schemas.numbers import Quantity

DispenseStatus = Literal[
    "received", "preparing", "ready", "partly_ready", "collected", "delivered", "not_dispensed"
]


class PrescriptionApproved(Body):
    """An approved line that the pharmacy can dispense; `prescription_id` is derived from order and line.

    PRK, name, dosage and unit are the overview's. `ordered_as` is the order's name where it contradicts the
    overview's, and a person approved the line.
    """

    TYPE: ClassVar[str] = "prescription.approved.v1"

    prescription_id: OrderId
    order_id: OrderId
    line: LineNumber
    patient: PatientId
    practice: PracticeAgb
    pharmacy: PharmacyAgb
    prk: Prk
    medicine: Name
    quantity: Quantity
    dosage: Text
    remark: Text | None = None
    supply_until: date | None = None
    approved_at: UtcDatetime
    approved_by: Actor
    unit: Name | None = None
    ordered_as: Name | None = None


class PrescriptionWithdrawn(Body):
    """A withdrawn prescription: it must not be dispensed."""

    TYPE: ClassVar[str] = "prescription.withdrawn.v1"

    prescription_id: OrderId
    order_id: OrderId
    line: LineNumber
    patient: PatientId
    practice: PracticeAgb
    pharmacy: PharmacyAgb
    withdrawn_at: UtcDatetime
    reason: Text | None = None


class DispenseReported(Body):
    """A pharmacy's report on the progress of a prescription."""

    TYPE: ClassVar[str] = "dispense.reported.v1"

    prescription_id: OrderId
    patient: PatientId
    pharmacy: PharmacyAgb
    status: DispenseStatus
    reason: Text | None = None
    reported_at: UtcDatetime
