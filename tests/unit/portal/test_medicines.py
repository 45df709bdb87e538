"""A patient's medicines: what can be ordered, what not, and everything that the page says of it."""

from datetime import date, time
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from portal.patient import medicines
from portal.patient.hours import order_times
from portal.patient.shelf import Can, can_order
from schemas.access import Claims, Party
from schemas.api.directory import PharmaciesView, PracticeView
from schemas.api.notification import MessagesView
from schemas.api.orderable import OrderableMedicine, OrderableView
from schemas.api.ordering import LineView, OrdersView, OrderView
from schemas.api.preferences import Preferences
from schemas.base import Channel, PlacedBy, Reviewer, Role
from schemas.reasons import EXPLANATIONS, LANGUAGES, WAIT, Language, Reason, ReasonCode
from schemas.records.directory import OrderHours, Remarks, Weekday
from schemas.records.medication import Status
from schemas.records.orders import OrderState, Outcome, Signal
from tests.harness.made import PHARMACY, PRACTICE
from tests.unit.portal.visits import NOW, Told, a_visit, answering, look

ANNA = "pat_anna0001"
WHO = Claims(sub=ANNA, role=Party.PATIENT, patients=(ANNA,))
OTHER = UUID("01920000-0000-7000-8000-000000000001")
FRIDAY = date(2026, 12, 11)
EARLY = Reason(code=ReasonCode.TOO_EARLY, earliest_date=FRIDAY)
CLOSED = Reason(code=ReasonCode.OUTSIDE_ORDER_HOURS, earliest_date=date(2026, 11, 30))
TWICE = Reason(code=ReasonCode.DUPLICATE_ORDER, other_order=OTHER)
NO_REMARK = Reason(code=ReasonCode.REMARK_MISSING)


def a_medicine(
    outcome: Outcome = Outcome.APPROVED, *reasons: Reason, **changes: Any
) -> OrderableMedicine:
    """Metformine, with this verdict."""
    fields: dict[str, Any] = {
        "prk": "5487",
        "medicine": "Metformine",
        "dosage": "1x daags 1",
        "unit": "stuk",
        "quantity": Decimal(90),
        "status": Status.CHRONIC,
        "outcome": outcome,
        "reasons": reasons,
        "reviewer": None,
        "signals": (),
    }
    return OrderableMedicine(**(fields | changes))


def a_practice(**changes: Any) -> PracticeView:
    """A practice that takes orders with or without a remark, always."""
    fields: dict[str, Any] = {
        "agb": PRACTICE,
        "name": "De Linde",
        "region": "Lindewaard",
        "phone": "0123-456710",
        "opening_hours": "Mo-Fr 08:00-17:00",
        "closures": (),
        "remarks": Remarks.OPTIONAL,
        "remark_length": 500,
        "order_hours": None,
        "lines_at_most": 15,
    }
    return PracticeView(**(fields | changes))


def an_order() -> OrderView:
    """An order of metformine that a person looks at."""
    line = LineView(
        line=1, prk="5487", medicine="Metformine", quantity=None, outcome=Outcome.REVIEW
    )
    return OrderView(
        order_id=OTHER,
        state=OrderState.IN_REVIEW,
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
        cancellation=None,
    )


def told(*listed: OrderableMedicine, practice: PracticeView | None = None) -> Told:
    """What the services say of a patient with these medicines."""
    view = OrderableView(overview_version=1, practice=PRACTICE, medicines=[*listed])
    return Told(
        {
            f"GET ordering/patients/{ANNA}/orderable": answering(view),
            f"GET ordering/patients/{ANNA}/orders": answering(OrdersView(orders=[an_order()])),
            f"GET ordering/practices/{PRACTICE}": answering(practice or a_practice()),
            "GET ordering/pharmacies": answering(PharmaciesView(pharmacies=[])),
            f"GET notification/patients/{ANNA}/preferences": answering(Preferences()),
            f"GET notification/patients/{ANNA}/messages": answering(
                MessagesView(messages=[], unread=0)
            ),
        }
    )


async def shown(
    *listed: OrderableMedicine, practice: PracticeView | None = None, language: Language = "en"
) -> str:
    """The page of these medicines."""
    given = told(*listed, practice=practice)
    visit = a_visit(WHO, given, in_path={"patient": ANNA}, language=language)
    status, html = await look(medicines.pages, "GET", medicines.PAGE, visit)
    assert status == 200
    return html


@pytest.mark.parametrize(
    ("medicine", "can"),
    [
        (a_medicine(), Can.NOW),
        (a_medicine(Outcome.REVIEW), Can.NOW),
        (a_medicine(Outcome.REVIEW, EARLY), Can.NOW),
        (a_medicine(Outcome.REFUSED, NO_REMARK), Can.NOW),
        (a_medicine(Outcome.REFUSED, EARLY), Can.WITH_A_REASON),
        (a_medicine(Outcome.REFUSED, EARLY, NO_REMARK), Can.WITH_A_REASON),
        (a_medicine(Outcome.REFUSED, EARLY, TWICE), Can.NOT_NOW),
        (a_medicine(Outcome.REFUSED, EARLY, CLOSED), Can.NOT_NOW),
        (a_medicine(Outcome.REFUSED, CLOSED), Can.NOT_NOW),
        (a_medicine(Outcome.REPEAT_SERVICE), Can.NOT_NOW),
        (a_medicine(Outcome.REFUSED, Reason(code=ReasonCode.STOPPED_MEDICATION)), Can.NOT_NOW),
    ],
)
def test_whether_a_medicine_can_be_ordered(medicine: OrderableMedicine, can: Can) -> None:
    assert can_order(medicine) is can


async def test_an_early_medicine_has_its_day_in_words_and_a_way_to_order_it_all_the_same() -> None:
    html = await shown(a_medicine(Outcome.REFUSED, EARLY))
    assert "You can order it again from Friday 11 December." in html
    assert "from the date given" not in html
    assert "Going away, or do you need it sooner?" in html
    assert 'id="medicine-5487"' in html


async def test_a_practice_without_remarks_has_no_field_for_one_and_says_what_to_do() -> None:
    practice = a_practice(remarks=Remarks.NOT_ALLOWED)
    html = await shown(
        a_medicine(), a_medicine(Outcome.REFUSED, EARLY, prk="34371"), practice=practice
    )
    assert 'name="remark"' not in html
    assert "Your practice takes no remarks with an order" in html
    assert "or write in the remark why" not in html


async def test_a_practice_that_asks_for_a_remark_says_so_and_how_long() -> None:
    """Given a practice that wants a remark always; then its missing is no reason against a medicine."""
    practice = a_practice(remarks=Remarks.MANDATORY, remark_length=80)
    html = await shown(a_medicine(Outcome.REFUSED, NO_REMARK), practice=practice)
    assert 'data-most="80"' in html
    assert " required " in html
    assert "Your practice asks for a remark with every order" in html
    assert EXPLANATIONS[ReasonCode.REMARK_MISSING].why["en"] not in html


async def test_outside_order_hours_the_page_says_when_and_nothing_can_be_ticked() -> None:
    hours = OrderHours(days=("Mo", "Tu", "We", "Th", "Fr"), first=time(8), last=time(16, 59))
    practice = a_practice(order_hours=hours)
    html = await shown(
        a_medicine(Outcome.REFUSED, CLOSED),
        a_medicine(Outcome.REFUSED, EARLY, CLOSED, prk="34371"),
        practice=practice,
    )
    assert "Your practice takes no orders now" in html
    assert "Mon – Fri 8:00 – 17:00" in html
    assert "You can order from Monday 30 November." in html
    assert "You can order it again from Friday 11 December." in html
    assert "checkbox" not in html


async def test_a_medicine_that_is_ordered_already_leads_to_that_order_and_has_its_other_reasons() -> (
    None
):
    html = await shown(a_medicine(Outcome.REFUSED, TWICE, EARLY))
    assert f'href="/patients/{ANNA}/orders/{OTHER}"' in html
    assert "You ordered this on 29 November 2026." in html
    assert "You can order it again from Friday 11 December." in html


async def test_a_check_up_that_is_due_says_what_to_do() -> None:
    html = await shown(a_medicine(signals=(Signal.CONTROL_DUE,)))
    assert "Time for your check-up" in html
    assert 'href="tel:0123-456710"' in html


@pytest.mark.parametrize(
    ("reviewer", "said"),
    [
        (Reviewer.GP, "Your GP looks first"),
        (Reviewer.ASSISTANT, "Your practice looks first"),
        (Reviewer.PHARMACY, "Your pharmacy looks first"),
        (None, "Your practice looks first"),
    ],
)
async def test_who_looks_first_is_said(reviewer: Reviewer | None, said: str) -> None:
    assert said in await shown(a_medicine(Outcome.REVIEW, reviewer=reviewer))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", [code for code in ReasonCode if code.name[:6] != "REMARK"])
async def test_every_reason_is_said_with_what_to_do(code: ReasonCode, language: Language) -> None:
    """Given a medicine refused for a reason, or looked at for it; then its sentence is there, and no code."""
    for outcome in (Outcome.REFUSED, Outcome.REVIEW):
        html = await shown(a_medicine(outcome, Reason(code=code)), language=language)
        said = EXPLANATIONS[code].why[language].replace("'", "&#39;")
        assert (said in html) == (code is not ReasonCode.OUTSIDE_ORDER_HOURS)
        assert code not in html
        assert WAIT[language] not in html or outcome is Outcome.REFUSED


@pytest.mark.parametrize(
    ("days", "first", "last", "said"),
    [
        (("Mo", "Tu", "We", "Th", "Fr"), time(8), time(16, 59), ["ma – vr 8.00 – 17.00"]),
        (("Fr", "Mo", "Tu"), time(9, 30), time(12), ["ma – di 9.30 – 12.01", "vr 9.30 – 12.01"]),
        (("Sa",), time(0), time(23, 59), ["za 0.00 – 24.00"]),
    ],
)
def test_order_hours_read_as_people_say_them(
    days: tuple[Weekday, ...], first: time, last: time, said: list[str]
) -> None:
    hours = OrderHours(days=days, first=first, last=last)
    assert order_times(hours, "nl") == said


def test_a_practice_that_always_takes_orders_has_no_hours_to_show() -> None:
    assert order_times(None, "nl") == order_times(OrderHours(), "en") == ()
