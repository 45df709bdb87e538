"""Bodies of a practice's lines in review."""

from datetime import date

from pydantic import BaseModel

from schemas.base import (
    Channel,
    LineNumber,
    Name,
    OrderId,
    PatientId,
    PharmacyAgb,
    PlacedBy,
    Prk,
    Text,
    UtcDatetime,
)
from schemas.numbers import Quantity
from schemas.reasons import Reason


class LineInReview(BaseModel):
    """One line that a person is to decide, and what the order says beside it.

    `medicine`, `dosage` and `unit` are the overview's, `ordered_as` the order's name where it contradicts the
    overview's. `reasons` is empty where the practice reviews everything.
    """

    order_id: OrderId
    line: LineNumber
    patient: PatientId
    prk: Prk
    medicine: Name
    quantity: Quantity
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


class ReviewsView(BaseModel):
    """A page of a practice's lines in review, those placed first first; `total` is how many there are in all.

    Pass `next` as `after` for the next page; it is None on the last.
    """

    reviews: list[LineInReview]
    next: str | None
    total: int
