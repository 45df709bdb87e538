"""Bodies of what a patient can order now."""

from pydantic import BaseModel

from schemas.base import Name, PracticeAgb, Prk, Reviewer, Text, Version
from schemas.numbers import Quantity
from schemas.reasons import Reason
from schemas.records.medication import Status
from schemas.records.orders import Outcome, Signal


class OrderableMedicine(BaseModel):
    """A medicine of the overview, and what is decided if `quantity`, the usual one, is ordered now, alone.

    `outcome` to `signals` are those that the line of such an order gets. A reason has the earliest date where
    time takes it away, and the order that the medicine is in already.
    """

    prk: Prk
    medicine: Name
    dosage: Text
    unit: Name
    quantity: Quantity
    status: Status
    outcome: Outcome
    reasons: tuple[Reason, ...]
    reviewer: Reviewer | None
    signals: tuple[Signal, ...]


class OrderableView(BaseModel):
    """A patient's medicines, in the overview's order, and the practice to order at.

    `overview_version` and `practice` are None while the overview has not arrived: nothing is known yet.
    """

    overview_version: Version | None
    practice: PracticeAgb | None
    medicines: list[OrderableMedicine]
