"""Bodies of a practice's lines in review."""

from datetime import date
from typing import Literal

from pydantic import BaseModel, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from schemas.base import (
    Channel,
    LineNumber,
    Model,
    Name,
    OrderId,
    PatientId,
    PharmacyAgb,
    PlacedBy,
    Prk,
    Reviewer,
    Text,
    UtcDatetime,
    is_blank,
)
from schemas.numbers import Quantity
from schemas.reasons import Reason
from schemas.records.orders import Outcome, Signal, StatusSignal


class ReviewRequest(Model):
    """A person's decision on a line in review; who decides is the token's bearer.

    `quantity` replaces the order's. A refusal needs an `explanation`, which the patient reads.
    """

    outcome: Literal[Outcome.APPROVED, Outcome.REFUSED]
    quantity: Quantity | None = None
    explanation: Text | None = Field(default=None, validate_default=True)

    @field_validator("explanation")
    @classmethod
    def _explains_a_refusal(cls, explanation: str | None, info: ValidationInfo) -> str | None:
        if info.data.get("outcome") is Outcome.REFUSED and is_blank(explanation or ""):
            raise PydanticCustomError("not_explained", "must say why the line is refused")
        return explanation


class LineInReview(BaseModel):
    """One line that a person is to decide, and what the order says beside it.

    `medicine`, `dosage` and `unit` are the overview's, `ordered_as` the order's name where it contradicts the
    overview's. `reasons` is empty where the practice reviews everything. `reviewer` is who is to decide; None
    on a line of before that was kept. `quantity` is None where the order has none and nothing says what is
    usual.
    """

    order_id: OrderId
    line: LineNumber
    patient: PatientId
    prk: Prk
    medicine: Name
    quantity: Quantity | None
    reviewer: Reviewer | None
    signals: tuple[Signal, ...]
    unit: Name | None
    dosage: Text
    ordered_as: Name | None
    reasons: tuple[Reason, ...]
    remark: Text | None
    supply_until: date | None
    placed_at: UtcDatetime
    placed_by: PlacedBy
    channel: Channel
    pharmacy: PharmacyAgb


class SignalledLine(BaseModel):
    """An approved line of which the medicine was stopped, made temporary or removed since: is it still right?

    `medicine` to `dosage` are as they were approved. `sent_by_practice`: the pharmacy is not connected, so that
    the practice must call it itself.
    """

    order_id: OrderId
    line: LineNumber
    patient: PatientId
    prk: Prk
    medicine: Name
    quantity: Quantity | None
    unit: Name | None
    dosage: Text
    signal: StatusSignal
    approved_at: UtcDatetime
    placed_at: UtcDatetime
    pharmacy: PharmacyAgb
    sent_by_practice: bool


class ReviewsView(BaseModel):
    """A page of a practice's lines in review, those placed first first; `total` is how many there are in all.

    Pass `next` as `after` for the next page; it is None on the last. The first page also has `signalled`: the
    first 100 approved lines to decide again.
    """

    reviews: list[LineInReview]
    signalled: list[SignalledLine]
    next: str | None
    total: int
