"""A patient's order: where and when to collect, also as a calendar file, until it is cancelled."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from icalendar import Calendar

from herhaal_client import NotFound
from portal.patient import calendar, orders
from schemas.access import Claims, Party
from schemas.api.directory import PharmaciesView
from schemas.api.notification import (
    BothLanguages,
    MessagesView,
    MessageView,
    PickupPharmacy,
    PickupView,
)
from schemas.api.ordering import CancellationView, LineView, OrderView
from schemas.base import Channel, PlacedBy, Role
from schemas.records.notifications import Kind
from schemas.records.orders import OrderState, Outcome
from schemas.times import AMSTERDAM
from tests.harness.made import PHARMACY, PRACTICE
from tests.unit.portal.visits import NOW, Told, a_visit, answering, look

ANNA = "pat_anna0001"
WHO = Claims(sub=ANNA, role=Party.PATIENT, patients=(ANNA,))
ID = UUID("01920000-0000-7000-8000-000000000001")
PAGE = "/patients/{patient}/orders/{order_id}"
WINDOW = datetime(2026, 12, 2, 15, 30, tzinfo=AMSTERDAM)
ORDER_OF = f"GET ordering/orders/{ID}"
INBOX = f"GET notification/patients/{ANNA}/messages"


def an_order(outcome: Outcome = Outcome.APPROVED) -> OrderView:
    """An order of one medicine; a cancelled one says so."""
    line = LineView(
        line=1, prk="5487", medicine="Metformine", quantity=Decimal(90), outcome=outcome
    )
    cancelled = outcome is Outcome.CANCELLED
    return OrderView(
        order_id=ID,
        state=OrderState.CANCELLED if cancelled else OrderState.APPROVED,
        patient=ANNA,
        practice=PRACTICE,
        pharmacy=PHARMACY,
        channel=Channel.PORTAL,
        placed_by=PlacedBy(role=Role.PATIENT, id=ANNA),
        placed_at=NOW,
        seq=1,
        lines=(line,),
        remark=None,
        supply_until=None,
        cancellation=CancellationView(cancelled_by=None, cancelled_at=NOW, reason=None)
        if cancelled
        else None,
    )


def a_promise(start: datetime = WINDOW) -> MessageView:
    """A message that says when to collect, for two hours from then."""
    where = PickupPharmacy(
        agb=PHARMACY, name="De Vijzel", address="Markt 4", city="Lindewaard", phone="0123"
    )
    words = BothLanguages(nl="Ophalen", en="Collect")
    return MessageView(
        message_id=uuid4(),
        order_id=ID,
        kind=Kind.ORDER_ANSWER,
        at=NOW,
        subject=words,
        text=words,
        pickup=PickupView(from_=start, until=start + timedelta(hours=2), pharmacy=where),
        read_at=None,
    )


async def shown(order: OrderView, messages: Sequence[MessageView]) -> str:
    inbox = MessagesView(messages=[*messages], unread=0)
    told = Told(
        {
            ORDER_OF: answering(order),
            INBOX: answering(inbox),
            "GET ordering/pharmacies": answering(PharmaciesView(pharmacies=[])),
        }
    )
    in_path = {"patient": ANNA, "order_id": f"{ID}"}
    status, html = await look(orders.pages, "GET", PAGE, a_visit(WHO, told, in_path=in_path))
    assert status == 200
    return html


async def test_an_approved_order_says_when_and_where_to_collect() -> None:
    html = await shown(an_order(), [a_promise()])
    for text in ("When you can collect it", "Wednesday 2 December", "15:30", "De Vijzel"):
        assert text in html


async def test_a_cancelled_order_does_not_say_when_to_collect() -> None:
    """Given a promise, and then a cancellation; then the page sends nobody to the pharmacy."""
    html = await shown(an_order(Outcome.CANCELLED), [a_promise()])
    assert "When you can collect it" not in html
    for text in ("There is nothing to collect", "Take it out of your calendar"):
        assert text in html


async def test_an_order_of_somebody_else_is_not_found_at_this_patient() -> None:
    other = an_order().model_copy(update={"patient": "pat_bram0002"})
    with pytest.raises(NotFound):
        await shown(other, [])


def event_of(order: OrderView, promises: Sequence[MessageView]) -> Any:
    (event,) = Calendar.from_ical(
        calendar.calendar(order, promises, "Collect medicines", "en")
    ).walk("VEVENT")
    return event


@pytest.mark.parametrize(
    ("local", "utc"),
    [
        (datetime(2027, 3, 26, 15, 30), datetime(2027, 3, 26, 14, 30)),
        (datetime(2027, 3, 30, 15, 30), datetime(2027, 3, 30, 13, 30)),
        (datetime(2026, 11, 30, 15, 30), datetime(2026, 11, 30, 14, 30)),
    ],
)
def test_the_moment_is_right_on_both_sides_of_the_change_of_clocks(
    local: datetime, utc: datetime
) -> None:
    promise = a_promise(local.replace(tzinfo=AMSTERDAM))
    event = event_of(an_order(), [promise])
    assert event["dtstart"].to_ical() == utc.strftime("%Y%m%dT%H%M%SZ").encode()
    assert event["dtend"].dt == utc.replace(tzinfo=UTC) + timedelta(hours=2)


def test_a_moved_and_a_cancelled_promise_replace_the_event() -> None:
    """Given a promise that is made, moved and cancelled; then it is one event, with a number that rises."""
    first, moved = a_promise(), a_promise(WINDOW + timedelta(days=1))
    events = [
        event_of(an_order(), [first]),
        event_of(an_order(), [moved, first]),
        event_of(an_order(Outcome.CANCELLED), [moved, first]),
    ]
    assert len({event["uid"] for event in events}) == 1
    assert [event["sequence"] for event in events] == [0, 1, 2]
    assert [event["status"] for event in events] == ["CONFIRMED", "CONFIRMED", "CANCELLED"]


def test_a_calendar_names_no_medicine_and_is_the_same_each_time() -> None:
    promises = [a_promise()]
    made = [calendar.calendar(an_order(), promises, "Collect medicines", "en") for _ in "12"]
    assert made[0] == made[1]
    assert b"Metformine" not in made[0]
