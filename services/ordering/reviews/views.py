"""Bodies of lines in review."""

from collections.abc import Sequence

from schemas.api.reviews import LineInReview, ReviewsView
from services.ordering.reviews.store import InReview


def reviews_view(found: Sequence[InReview], total: int, limit: int) -> ReviewsView:
    """The response body for a page of at most `limit` lines."""
    more = len(found) == limit
    return ReviewsView(
        reviews=[_line_in_review(each) for each in found],
        next=found[-1].position.cursor if more else None,
        total=total,
    )


def _line_in_review(found: InReview) -> LineInReview:
    order, line = found.order, found.line
    return LineInReview(
        order_id=order.order_id,
        line=line.number,
        patient=order.patient,
        prk=line.prk,
        medicine=line.medicine,
        quantity=line.quantity,
        unit=line.unit,
        dosage=line.dosage,
        ordered_as=line.ordered_as,
        reasons=line.reasons,
        remark=order.remark,
        supply_until=order.supply_until,
        placed_at=order.placed_at,
        placed_by=order.placed_by,
        channel=order.channel,
        pharmacy=order.pharmacy,
    )
