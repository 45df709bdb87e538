"""Bodies of lines in review, and in words what became of one."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from schemas.api.reviews import LineInReview, ReviewsView
from schemas.base import Role
from schemas.records.orders import Outcome
from schemas.times import AMSTERDAM
from services.ordering.domain.order import Line, Order
from services.ordering.reviews.store import InReview

_WHO: Mapping[Role, str] = {
    Role.PATIENT: "The patient",
    Role.PROXY: "Somebody who acts for the patient",
    Role.ASSISTANT: "An assistant",
    Role.GP: "A GP",
    Role.PHARMACY: "The pharmacy",
    Role.POLICY: "The practice's policy",
    Role.SYSTEM: "The system",
}
_DID: Mapping[Outcome, str] = {
    Outcome.APPROVED: "approved this line",
    Outcome.REFUSED: "refused this line",
    Outcome.E_CONSULT: "referred this line to an e-consult",
}


def why_not_in_review(order: Order, line: Line) -> str:
    """Who decided a line that is not in review, in which role, and when; in words, for people."""
    if line.outcome is Outcome.CANCELLED and order.cancelled_by:
        return f"{_WHO[order.cancelled_by.role]} cancelled the order{_on(order.cancelled_at)}."
    if line.outcome is Outcome.WAITING:
        return "This line waits for the patient's overview."
    if line.decided_by is None:
        return f"This line was decided when the order came{_on(order.placed_at)}."
    did = _DID.get(line.decided_as or line.outcome, "decided this line")
    return f"{_WHO[line.decided_by.role]} {did}{_on(line.decided_at)}."


def _on(moment: datetime | None) -> str:
    """The moment in Europe/Amsterdam; nothing for an event from before it was kept."""
    return f" on {moment.astimezone(AMSTERDAM):%-d %B %Y at %H:%M}" if moment else ""


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
