"""Examples of the bodies of what can be ordered, and of a practice's lines in review."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from pydantic import BaseModel

from schemas.api.orderable import OrderableMedicine, OrderableView
from schemas.api.reviews import LineInReview, ReviewsView, SignalledLine
from schemas.base import Channel, PlacedBy, Reviewer, Role
from schemas.reasons import Reason, ReasonCode
from schemas.records.medication import Status
from schemas.records.orders import Outcome, Signal, StatusSignal
from tests.harness.made import PHARMACY, PRACTICE


def review_bodies(order_id: UUID, at: datetime) -> list[BaseModel]:
    """The bodies, of this order and time (UTC)."""
    return [
        OrderableView(
            overview_version=4,
            practice=PRACTICE,
            medicines=[
                OrderableMedicine(
                    prk="5487",
                    medicine="Metformine",
                    dosage="2x daags 1",
                    unit="stuk",
                    quantity=Decimal("0.5"),
                    status=Status.CHRONIC,
                    outcome=Outcome.REVIEW,
                    reasons=(Reason(code=ReasonCode.HIGH_RISK_MEDICATION),),
                    reviewer=Reviewer.GP,
                    signals=(Signal.CONTROL_DUE,),
                )
            ],
        ),
        ReviewsView(
            reviews=[
                LineInReview(
                    order_id=order_id,
                    line=1,
                    patient="pat_anna0001",
                    prk="5487",
                    medicine="Metformine",
                    quantity=Decimal(90),
                    unit="stuk",
                    dosage="2x daags 1",
                    ordered_as="Glucophage",
                    reasons=(Reason(code=ReasonCode.NAME_CONTRADICTS_CODE),),
                    remark="Graag bellen",
                    supply_until=date(2027, 2, 1),
                    placed_at=at,
                    placed_by=PlacedBy(role=Role.PROXY, id="proxy-1"),
                    channel=Channel.PORTAL,
                    pharmacy=PHARMACY,
                    reviewer=Reviewer.ASSISTANT,
                    signals=(Signal.CONTROL_DUE,),
                )
            ],
            signalled=[
                SignalledLine(
                    order_id=order_id,
                    line=2,
                    patient="pat_anna0001",
                    prk="34371",
                    medicine="Omeprazol",
                    quantity=Decimal(90),
                    unit="stuk",
                    dosage="1x daags 1",
                    signal=StatusSignal.STOPPED,
                    approved_at=at,
                    placed_at=at,
                    pharmacy=PHARMACY,
                    sent_by_practice=True,
                )
            ],
            next=f"1-{order_id}-1",
            total=2,
        ),
    ]
