"""What can be ordered and what not, with every reason, in words that somebody at home can act on."""

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from playwright.async_api import expect

from cli.directory import apply_directory, read_directory
from cli.example.contents import DIRECTORY
from portal.web.formats import weekday
from samples.codes import practice_code
from schemas.base import RiskClass, Role
from schemas.records.directory import WEEKDAYS, Directory, OrderHours, Policy, Remarks
from schemas.records.medication import Authorisation, Medication, Status
from schemas.times import AMSTERDAM
from tests.browser.conftest import Visitors
from tests.browser.visitor import ALL_KINDS, LOOKS, Kind, Visitor
from tests.harness.made import METFORMINE, OMEPRAZOL, an_order, entry

TODAY = datetime.now(AMSTERDAM).date()
AMLODIPINE = ("73512", "Amlodipine tablet 5 mg")
STRICT, TALKATIVE, CLOSED = practice_code(951), practice_code(952), practice_code(953)


def ago(days: int) -> date:
    return TODAY - timedelta(days=days)


def ordered(days: int) -> str:
    return ago(days).isoformat()


ENDED = Authorisation(by=Role.GP, on=ago(400), until=ago(30))

PLAIN = entry(METFORMINE)
DUPLICATE = entry(AMLODIPINE)
EARLY = entry(OMEPRAZOL, last_ordered_on=ordered(12))


def medicine(prk: str, name: str, **changes: Any) -> Medication:
    """A medicine that trips a rule."""
    return entry((prk, name), **changes)


OF_EVERY_KIND = (
    PLAIN,
    DUPLICATE,
    EARLY,
    medicine("61034", "Simvastatine tablet 40 mg", control_due=ago(10)),
    medicine("17728", "Salbutamol aerosol 100 microgram/dosis", authorisation=None),
    medicine("45519", "Enalapril tablet 10 mg", authorisation=ENDED),
    medicine("2402", "Acenocoumarol tablet 1 mg", specialist=True, authorisation=None),
    medicine("9210", "Metoprololsuccinaat tablet mga 50 mg", weekly_packing=True),
    medicine("28770", "Levothyroxine tablet 75 microgram", last_ordered_on=ordered(500)),
    medicine("11800", "Hydrochloorthiazide tablet 12,5 mg", control_due=ago(100)),
    medicine(
        *("90115", "Methotrexaat tablet 2,5 mg"),
        risk_class=RiskClass.A,
        last_ordered_on=ordered(20),
        control_due=ago(3),
    ),
    medicine("80233", "Macrogol/elektrolyten poeder", repeat_service=True),
    medicine("21105", "Amoxicilline capsule 500 mg", status=Status.TEMPORARY),
    medicine("42218", "Codeïne tablet 10 mg", status=Status.STOPPED),
)


async def at_a_practice(visitors: Visitors, agb: str, policy: Policy) -> None:
    """Put a practice with this policy into the directory, until services know it."""
    example = read_directory(DIRECTORY).practices[0]
    mine = example.model_copy(update={"agb": agb, "policy": policy})
    await apply_directory(visitors.stack.kafka, Directory(practices=(mine,), pharmacies=()))
    await visitors.practice_known(agb)


def early_from() -> date:
    """The first day for a supply of 90 days of 12 days ago: two weeks before its last day."""
    return ago(12) + timedelta(days=89 - 14)


def card(visitor: Visitor, name: str) -> Any:
    """The card of a medicine."""
    return visitor.page.locator(".row").filter(has_text=name)


@pytest.mark.parametrize("kind", LOOKS, ids=str)
async def test_every_reason_is_on_the_list_with_its_day_and_what_to_do(
    visitors: Visitors, kind: Kind
) -> None:
    """Given a medicine for each rule, and one in an order that is under way; then each says its own."""
    visitor, patient = await visitors.patient(*OF_EVERY_KIND, kind=kind)
    other = await visitors.place(an_order(patient, AMLODIPINE, quantity=180))
    await visitor.go(f"/patients/{patient}/medicines")
    day = weekday(early_from(), kind.language)
    for name, said in (
        (OMEPRAZOL[1], visitor.text("You can order it again from %(day)s.", day=day)),
        ("Simvastatine", visitor.text("Time for your check-up")),
        ("Enalapril", visitor.text("Your GP looks first")),
        ("Metoprolol", visitor.text("Your pharmacy looks first")),
        (AMLODIPINE[1], visitor.text("Already ordered")),
    ):
        await expect(card(visitor, name)).to_contain_text(said)
    link = card(visitor, AMLODIPINE[1]).get_by_role("link")
    assert await link.get_attribute("href") == f"/patients/{patient}/orders/{other}"
    await visitor.check("medicines-every-reason")


@pytest.mark.parametrize("kind", ALL_KINDS, ids=str)
async def test_who_goes_away_can_order_what_is_early_and_the_practice_looks(
    visitors: Visitors, kind: Kind
) -> None:
    """Given an early medicine, ticked without a reason; then the field of the period is asked for, and with a
    day in it the order goes to the practice."""
    visitor, patient = await visitors.patient(PLAIN, EARLY, kind=kind)
    await visitor.go(f"/patients/{patient}/medicines")
    early = card(visitor, OMEPRAZOL[1])
    await early.locator("summary").click()
    await visitor.fill_in(OMEPRAZOL[0])
    await visitor.button("Check the order").click()
    await visitor.page.locator("[role=alert] a[href='#supply_until']").click()
    await expect(visitor.page.locator("#supply_until")).to_be_focused()
    await expect(visitor.box(OMEPRAZOL[0])).to_be_visible()
    await visitor.check("medicines-early-asks-why")
    await visitor.page.locator("#supply_until").fill(f"{TODAY + timedelta(days=120)}")
    await visitor.button("Check the order").click()
    await visitor.sees("Check your order")
    await visitor.button("Send the order").click()
    await visitor.sees("Your practice is looking at your order")
    await visitor.check("order-early-in-review")


@pytest.mark.parametrize("kind", LOOKS, ids=str)
@pytest.mark.parametrize("remarks", [Remarks.NOT_ALLOWED, Remarks.MANDATORY])
async def test_the_form_asks_of_a_remark_what_the_practice_asks(
    visitors: Visitors, kind: Kind, remarks: Remarks
) -> None:
    agb = STRICT if remarks is Remarks.NOT_ALLOWED else TALKATIVE
    await at_a_practice(visitors, agb, Policy(remarks=remarks, remark_length=80, lines_at_most=1))
    visitor, patient = await visitors.patient(
        PLAIN, entry(AMLODIPINE), EARLY, kind=kind, practice=agb
    )
    await visitor.go(f"/patients/{patient}/medicines")
    allowed = remarks is not Remarks.NOT_ALLOWED
    await expect(visitor.page.locator("#remark")).to_have_count(int(allowed))
    for prk in (METFORMINE[0], AMLODIPINE[0]):
        await visitor.box(prk).check()
    await visitor.page.locator("input[name=pharmacy]").first.check()
    await visitor.button("Check the order").click()
    if allowed:
        await expect(visitor.page.locator("#remark-error")).to_be_visible()
        await visitor.check("medicines-remark-mandatory")
        await visitor.page.locator("#remark").fill("Zoals altijd")
        await visitor.button("Check the order").click()
    await visitor.sees("Check your order")
    too_many = visitor.text("You order more than %(most)s medicines at once.", most=1)
    await expect(visitor.page.get_by_text(too_many)).to_be_visible()
    await visitor.check(f"order-check-remark-{remarks}")
    await visitor.link("Change something").click()
    await visitor.check(f"medicines-remark-{remarks}")


@pytest.mark.parametrize("kind", LOOKS, ids=str)
async def test_outside_order_hours_nothing_can_be_ticked_and_the_page_says_when(
    visitors: Visitors, kind: Kind
) -> None:
    """Given a practice that takes orders on another day than today; then its next day is named."""
    tomorrow = TODAY + timedelta(days=1)
    hours = OrderHours(days=(WEEKDAYS[tomorrow.weekday()],), first=time(8), last=time(16, 59))
    await at_a_practice(visitors, CLOSED, Policy(order_hours=hours))
    visitor, patient = await visitors.patient(PLAIN, EARLY, kind=kind, practice=CLOSED)
    await visitor.go(f"/patients/{patient}/medicines")
    await visitor.sees("Your practice takes no orders now")
    day = weekday(tomorrow, kind.language)
    await expect(visitor.page.locator("main")).to_contain_text(day)
    await expect(visitor.page.get_by_role("checkbox")).to_have_count(0)
    await visitor.check("medicines-outside-hours")
