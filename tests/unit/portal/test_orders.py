"""A patient's order: where and when to collect, also as a calendar file, until it is cancelled."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import httpx
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
from schemas.base import Channel, PlacedBy, Reviewer, Role
from schemas.reasons import WAIT, Reason, ReasonCode
from schemas.records.notifications import Kind
from schemas.records.orders import OrderState, Outcome, StatusSignal
from schemas.times import AMSTERDAM
from tests.harness.made import PHARMACY, PRACTICE
from tests.unit.clients.asking import Reply
from tests.unit.portal.visits import NOW, Told, a_visit, answering, look
from tests.unit.schemas.explained import a_timeline, an_explanation

ANNA = "pat_anna0001"
WHO = Claims(sub=ANNA, role=Party.PATIENT, patients=(ANNA,))
ID = UUID("01920000-0000-7000-8000-000000000001")
PAGE = "/patients/{patient}/orders/{order_id}"
WINDOW = datetime(2026, 12, 2, 15, 30, tzinfo=AMSTERDAM)
ORDER_OF = f"GET ordering/orders/{ID}"
TIMELINE = f"GET ordering/orders/{ID}/timeline"
EXPLANATION = f"GET ordering/orders/{ID}/explanation"
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


A_TIMELINE = a_timeline(ID)
AN_EXPLANATION = an_explanation(ID)


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


def with_line(**changes: Any) -> OrderView:
    """An order whose line is otherwise."""
    order = an_order()
    return order.model_copy(update={"lines": (order.lines[0].model_copy(update=changes),)})


async def shown(
    order: OrderView, messages: Sequence[MessageView], changes: Mapping[str, Reply] | None = None
) -> str:
    inbox = MessagesView(messages=[*messages], unread=0)
    told = Told(
        {
            ORDER_OF: answering(order),
            INBOX: answering(inbox),
            TIMELINE: answering(A_TIMELINE),
            EXPLANATION: answering(AN_EXPLANATION),
            "GET ordering/pharmacies": answering(PharmaciesView(pharmacies=[])),
        }
        | dict(changes or {})
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


async def test_an_order_that_was_withdrawn_does_not_say_when_to_collect_either() -> None:
    """Given a promise, and then a refusal of the only line; then the page and the calendar take it back."""
    refused = an_order(Outcome.REFUSED).model_copy(update={"state": OrderState.REFUSED})
    html = await shown(refused, [a_promise()])
    assert "When you can collect it" not in html
    assert "Take it out of your calendar" in html
    assert event_of(refused, [a_promise()])["status"] == "CANCELLED"


async def test_what_the_practice_sends_itself_is_said_with_whom_to_ask() -> None:
    html = await shown(with_line(sent_by_practice=True), [])
    assert "Your practice sends the prescription to your pharmacy itself." in html


@pytest.mark.parametrize(
    ("reviewer", "said"),
    [
        (Reviewer.GP, "Your GP is looking at it"),
        (Reviewer.PHARMACY, "Your pharmacy is looking at it"),
        (None, "Your practice is looking at it"),
    ],
)
async def test_who_looks_at_a_line_is_said_and_to_wait_once(
    reviewer: Reviewer | None, said: str
) -> None:
    """Given a line in review for two reasons, of a quantity that nobody has said; then one sentence says to
    wait, and none to order again."""
    early = Reason(code=ReasonCode.TOO_EARLY, earliest_date=date(2026, 12, 11))
    html = await shown(
        with_line(
            outcome=Outcome.REVIEW,
            quantity=None,
            reviewer=reviewer,
            reasons=(early, Reason(code=ReasonCode.LARGER_SUPPLY)),
        ),
        [],
    )
    assert said in html
    assert html.count(WAIT["en"]) == 1
    assert "11 December" not in html
    assert "None" not in html


async def test_a_refused_line_has_its_day_in_words_and_leads_to_the_order_that_has_it() -> None:
    other = UUID(int=5)
    reasons = (
        Reason(code=ReasonCode.DUPLICATE_ORDER, other_order=other),
        Reason(code=ReasonCode.TOO_EARLY, earliest_date=date(2026, 12, 11)),
    )
    html = await shown(with_line(outcome=Outcome.REFUSED, reasons=reasons), [])
    assert f'href="/patients/{ANNA}/orders/{other}"' in html
    assert "You can order it again from Friday 11 December." in html


async def test_what_the_practice_is_to_look_at_again_is_not_shown_to_the_patient() -> None:
    html = await shown(with_line(signal=StatusSignal.STOPPED), [])
    assert "stopped" not in html.lower()


async def test_an_order_says_what_happened_and_why() -> None:
    html = await shown(an_order(), [])
    for text in ("The patient placed the order.", "A GP approved this.", "Graag op tijd."):
        assert text in html
    assert html.index("A GP approved this.", html.index("What happened")) < html.index(
        "The patient placed the order."
    ), "the newest is on top"
    for text in ("Why?", "The medicine needs extra care.", "Class of the medicine: ", "B: care"):
        assert text in html


async def test_when_the_history_is_away_the_rest_is_shown() -> None:
    away = httpx.ConnectError("refused")
    html = await shown(an_order(), [a_promise()], {TIMELINE: away, EXPLANATION: away})
    assert "De Vijzel" in html
    assert "We cannot show this part now" in html
    assert "Why?" not in html


async def test_a_history_with_a_gap_says_so() -> None:
    gap = answering(A_TIMELINE.model_copy(update={"complete": False}))
    assert "Not everything that happened" in await shown(an_order(), [], {TIMELINE: gap})
    assert "Not everything that happened" not in await shown(an_order(), [])


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
