"""Bodies of what a patient can order now."""

from pydantic import BaseModel

from schemas.base import Name, PracticeAgb, Prk, Text, Version
from schemas.numbers import Quantity
from schemas.reasons import Reason
from schemas.records.medication import Status
from schemas.records.orders import Outcome


class OrderableMedicine(BaseModel):
    """A medicine of the overview, and what is decided if `quantity`, the usual one, is ordered now, alone.

    `outcome` and `reasons` are those that the line of such an order gets.
    """

    prk: Prk
    medicine: Name
    dosage: Text
    unit: Name
    quantity: Quantity
    status: Status
    outcome: Outcome
    reasons: tuple[Reason, ...]


class OrderableView(BaseModel):
    """A patient's medicines, in the overview's order, and the practice to order at.

    `overview_version` and `practice` are None while the overview has not arrived: nothing is known yet.
    """

    overview_version: Version | None
    practice: PracticeAgb | None
    medicines: list[OrderableMedicine]
