"""Bodies of lines in review, and in words what became of one."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from schemas.api.reviews import LineInReview, ReviewsView, SignalledLine
from schemas.base import Role
from schemas.records.orders import Outcome
from schemas.times import AMSTERDAM
from services.ordering.domain.order import Line, Order
from services.ordering.reviews.store import ToDecide

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


def reviews_view(
    found: Sequence[ToDecide], total: int, limit: int, signalled: Iterable[ToDecide]
) -> ReviewsView:
    """The response body for a page of at most `limit` lines, with the approved ones to decide again."""
    more = len(found) == limit
    return ReviewsView(
        reviews=[_line_in_review(each) for each in found],
        signalled=[_signalled_line(each) for each in signalled],
        next=found[-1].position.cursor if more else None,
        total=total,
    )


def _line_in_review(found: ToDecide) -> LineInReview:
    order, line = found.order, found.line
    return LineInReview(
        order_id=order.order_id,
        line=line.number,
        patient=order.patient,
        prk=line.prk,
        medicine=line.medicine,
        quantity=line.quantity,
        reviewer=line.reviewer,
        signals=line.signals,
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


def _signalled_line(found: ToDecide) -> SignalledLine:
    order, line = found.order, found.line
    assert line.signal is not None, "only a signalled line is decided again"
    return SignalledLine(
        order_id=order.order_id,
        line=line.number,
        patient=order.patient,
        prk=line.prk,
        medicine=line.medicine,
        quantity=line.quantity,
        unit=line.unit,
        dosage=line.dosage,
        signal=line.signal,
        approved_at=line.decided_at or order.placed_at,
        placed_at=order.placed_at,
        pharmacy=order.pharmacy,
        sent_by_practice=line.sent_by_practice,
    )
