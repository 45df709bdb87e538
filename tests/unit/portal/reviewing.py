"""Lines in review for the tests of a practice's queue: a list of them, an order, and who decides."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import httpx

from portal.web.visit import Visit
from samples.persons import a_person
from schemas.api.ordering import LineView, OrderView
from schemas.api.people import PersonView
from schemas.api.reviews import LineInReview, ReviewsView, SignalledLine
from schemas.base import Actor, Channel, PlacedBy, Reviewer, Role
from schemas.reasons import Reason, ReasonCode
from schemas.records.orders import OrderState, Outcome, StatusSignal
from tests.harness.made import PHARMACY, PRACTICE
from tests.unit.portal.visits import ASSISTANT, Told, a_visit, answering

ID = UUID("5b1f4f0e-6f0b-5d5e-9d3c-6a2f8f3f7f10")
ANNA = "pat_anna0001"
AT = datetime(2026, 11, 28, 9, 30, tzinfo=UTC)
PLACED_BY = PlacedBy(role=Role.PATIENT, id=ANNA)
LIST = f"GET ordering/practices/{PRACTICE}/reviews"
ORDER = f"GET ordering/orders/{ID}"
PUT = f"PUT ordering/orders/{ID}/lines/1/review"
PERSON = f"GET notification/patients/{ANNA}/person"
GP = Actor(role=Role.GP, id="usr_gp")
ME = Actor(role=Role.ASSISTANT, id=ASSISTANT.sub)

WAITING = LineInReview(
    order_id=ID,
    line=1,
    patient=ANNA,
    prk="5487",
    medicine="Metformine",
    quantity=Decimal(90),
    unit="stuk",
    dosage="2x daags 1",
    ordered_as=None,
    reasons=(Reason(code=ReasonCode.HIGH_RISK_MEDICATION),),
    remark="<b>Graag</b> bellen",
    supply_until=None,
    placed_at=AT,
    placed_by=PLACED_BY,
    channel=Channel.PORTAL,
    pharmacy=PHARMACY,
    reviewer=Reviewer.GP,
    signals=(),
)
STOPPED = SignalledLine(
    order_id=ID,
    line=1,
    patient=ANNA,
    prk="5487",
    medicine="Metformine",
    quantity=Decimal(90),
    unit="stuk",
    dosage="2x daags 1",
    signal=StatusSignal.STOPPED,
    approved_at=AT,
    placed_at=AT,
    pharmacy=PHARMACY,
    sent_by_practice=False,
)
NAMED = answering(
    PersonView(
        **dict(a_person(initials="A.M.", prefix=None, surname="Voorbeeld")),
        patient=ANNA,
        practice=PRACTICE,
    )
)


def listed(
    *lines: LineInReview, signalled: Sequence[SignalledLine] = (), next: str | None = None
) -> httpx.Response:
    view = ReviewsView(reviews=[*lines], signalled=[*signalled], next=next, total=len(lines))
    return answering(view)


def an_order(outcome: Outcome = Outcome.REVIEW, by: Actor | None = None) -> OrderView:
    line = LineView(
        line=1,
        prk="5487",
        medicine="Metformine",
        quantity=Decimal(90),
        outcome=outcome,
        reasons=WAITING.reasons,
        unit="stuk",
        decided_by=by,
        decided_at=AT if by else None,
    )
    return OrderView(
        order_id=ID,
        state=OrderState.IN_REVIEW,
        patient=ANNA,
        practice=PRACTICE,
        pharmacy=PHARMACY,
        channel=Channel.PORTAL,
        placed_by=PLACED_BY,
        placed_at=AT,
        seq=1,
        lines=(line,),
        remark=None,
        supply_until=None,
        cancellation=None,
    )


def deciding_as(
    told: Told, form: dict[str, str], *, patient: str = ANNA, htmx: bool = True
) -> Visit:
    in_path = {"patient": patient, "order_id": f"{ID}", "line": "1"}
    return a_visit(ASSISTANT, told, form=form, in_path=in_path, htmx=htmx)


APPROVE = {"outcome": "approved", "row": f"{ID}-1"}
REFUSE = {"outcome": "refused", "explanation": "Eerst prikken", "row": f"{ID}-1"}
