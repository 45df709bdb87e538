"""Who is to decide a line, and what becomes of an approved one whose medicine was stopped since."""

import asyncio
import re

import httpx
import pytest
from playwright.async_api import expect

from samples.codes import pharmacy_code
from schemas.access import Party
from schemas.records.medication import Status
from tests.browser.conftest import Visitors
from tests.browser.test_reasons import ENDED
from tests.browser.visitor import ALL_KINDS, LOOKS, Kind, Visitor
from tests.harness.made import METFORMINE, OMEPRAZOL, PRACTICE, a_patient, an_order, entry

ASSISTANT = "Esra Linde"


@pytest.fixture(autouse=True)
async def _nothing_in_review(visitors: Visitors) -> None:
    await visitors.empty_queue()


async def in_review(visitors: Visitors) -> tuple[str, str]:
    """An order for the GP, of a medicine whose authorisation ended, and one with a remark, for the assistant;
    their ids."""
    for_gp, for_assistant = a_patient(), a_patient()
    await visitors.overview(for_gp, entry(METFORMINE, authorisation=ENDED))
    await visitors.overview(for_assistant, entry(METFORMINE))
    return (
        await visitors.place(an_order(for_gp)),
        await visitors.place(an_order(for_assistant, remark="Graag bellen")),
    )


async def stopped_since(visitors: Visitors) -> tuple[str, str]:
    """A patient with an approved order, whose medicine was stopped after that; the patient and the order."""
    patient = a_patient()
    await visitors.overview(patient, entry(METFORMINE), entry(OMEPRAZOL))
    order = await visitors.place(an_order(patient, METFORMINE, OMEPRAZOL))
    await visitors.overview(patient, entry(METFORMINE, Status.STOPPED), entry(OMEPRAZOL))
    headers = visitors.bearer(Party.GP, practice=PRACTICE)
    url = f"{visitors.stack.endpoints['ordering']}/practices/{PRACTICE}/reviews"
    async with httpx.AsyncClient(timeout=30, headers=headers) as http, asyncio.timeout(20):
        while order not in (await http.get(url)).text:
            await asyncio.sleep(0.05)
    return patient, order


async def see_order(visitors: Visitors, patient: str, order: str, kind: Kind) -> Visitor:
    """The patient, on the page of the order."""
    visitor = await visitors.anybody(kind)
    await visitors.enter(visitor, patient)
    await visitor.go(f"/patients/{patient}/orders/{order}")
    return visitor


@pytest.mark.parametrize("kind", LOOKS, ids=str)
async def test_the_queue_says_who_is_to_decide_and_shows_one_reviewers_alone(
    visitors: Visitors, kind: Kind
) -> None:
    """Given a line for the GP and one for the assistant; then each filter shows its own, and "all" both."""
    gp, assistant = await in_review(visitors)
    visitor = await visitors.login(ASSISTANT, kind)
    await visitor.go("/practice/reviews")
    rows = {order: visitor.page.locator(f"#row-{order}-1") for order in (gp, assistant)}
    await expect(rows[gp].locator(".badge").first).to_have_text(visitor.text("GP"))
    await expect(rows[assistant].locator(".badge").first).to_have_text(visitor.text("Assistant"))
    await visitor.check("practice-reviews-who-decides")
    for text, shown in (("For the GP", (1, 0)), ("For the assistant", (0, 1)), ("All", (1, 1))):
        await visitor.link(text).click()
        await expect(visitor.page.locator("[aria-current=true]")).to_have_text(visitor.text(text))
        for order, count in zip((gp, assistant), shown, strict=True):
            await expect(rows[order]).to_have_count(count)


@pytest.mark.parametrize("kind", ALL_KINDS, ids=str)
async def test_an_approved_line_that_was_stopped_since_is_withdrawn_and_the_patient_is_told(
    visitors: Visitors, kind: Kind
) -> None:
    patient, order = await stopped_since(visitors)
    visitor = await visitors.login(ASSISTANT, kind)
    await visitor.go("/practice/reviews")
    await visitor.sees("Approved, and stopped since")
    await visitor.check("practice-stopped-since")
    row = visitor.page.locator(f"#row-{order}-1")
    await row.locator("summary").click()
    await row.locator("textarea").fill("Dit medicijn is vorige week gestopt.")
    await row.locator("button[value=refused]").click()
    said = visitor.page.get_by_text(visitor.text("You"), exact=False).filter(has_text="Metformine")
    await expect(said.last).to_be_visible()
    told = await see_order(visitors, patient, order, kind)
    withdrawn = re.compile("toch niet voor u klaar|will not be ready for you")
    heading = told.page.get_by_role("heading", name=withdrawn)
    for _ in range(20):
        if await heading.count():
            break
        await told.page.wait_for_timeout(300)
        await told.page.reload()
    await expect(heading.first).to_be_visible()
    await told.check("order-withdrawn")


async def test_an_approved_line_is_kept_and_nothing_else_is_said_to_the_patient(
    visitors: Visitors,
) -> None:
    """Given a line that was stopped since; when it is kept; then it leaves the list, and no message is sent."""
    patient, order = await stopped_since(visitors)
    visitor = await visitors.login(ASSISTANT)
    await visitor.go("/practice/reviews")
    row = visitor.page.locator(f"#row-{order}-1")
    await row.locator("button[value=approved]").click()
    await expect(row.locator(".decided")).to_be_visible()
    await visitor.go("/practice/reviews")
    await expect(row).to_have_count(0)
    told = await see_order(visitors, patient, order, Kind())
    await told.sees("Your order is approved")
    await told.go(f"/patients/{patient}/messages")
    await expect(told.page.locator("main li.row")).to_have_count(1)


@pytest.mark.parametrize("kind", LOOKS, ids=str)
async def test_what_the_practice_sends_itself_is_said_to_both(
    visitors: Visitors, kind: Kind
) -> None:
    """Given an order for a pharmacy that is not connected; when a person approves it; then the patient reads
    who sends the prescription, and whom to ask when it is ready."""
    patient = a_patient()
    await visitors.overview(patient, entry(METFORMINE))
    order = await visitors.place(an_order(patient, pharmacy=pharmacy_code(990)))
    visitor = await visitors.login(ASSISTANT, kind)
    await visitor.go("/practice/reviews")
    row = visitor.page.locator(f"#row-{order}-1")
    by_hand = visitor.text("Pharmacy is not connected: send the prescription yourself")
    await expect(row).to_contain_text(by_hand)
    await row.locator("button[value=approved]").click()
    await expect(visitor.page.locator(".decided, .notice.good").first).to_be_visible()
    told = await see_order(visitors, patient, order, kind)
    sentence = "Your practice sends the prescription to your pharmacy itself."
    text = told.text(f"{sentence} Ask the pharmacy when it is ready.")
    await expect(told.page.locator("main")).to_contain_text(text)
    await told.check("order-sent-by-practice")
