"""The rooms of those who work, in a browser: each page with what is real on it, decisions in their rows."""

import pytest
from playwright.async_api import Locator, expect

from portal.session.cookies import SESSION
from tests.browser.conftest import Visitors
from tests.browser.visitor import ALL_KINDS, LOOKS, Kind, Visitor
from tests.harness.made import METFORMINE, OMEPRAZOL, a_patient, an_order, entry
from tests.harness.portal import change_session

ASSISTANT, GP = "Esra Linde", "Gijs Linde"

PAGES = (
    ("practice-reviews-some", "/practice/reviews", ASSISTANT),
    ("practice-patient-orders", "/practice/patients/pat_example01", ASSISTANT),
    ("practice-months", "/practice/orders?by=month", "Ilse Linde"),
    ("pharmacy-prescriptions-some", "/pharmacy/prescriptions", "Karim Vijzel"),
)
"""Pages that look otherwise when there are orders."""


@pytest.fixture(autouse=True)
async def _nothing_in_review(visitors: Visitors) -> None:
    """What other tests left in the queue would push a new line to its second page."""
    await visitors.empty_queue()


async def in_review(visitors: Visitors, patient: str | None = None) -> str:
    """Place an order with a line that a person must look at, and one that is approved; return its id."""
    who = patient or a_patient()
    if patient is None:
        await visitors.overview(who, entry(METFORMINE), entry(OMEPRAZOL, high_risk=True))
        order = an_order(who, OMEPRAZOL, METFORMINE)
    else:
        methotrexaat = ("90115", "Methotrexaat tablet 2,5 mg")
        order = an_order(who, methotrexaat, ("34371", "Omeprazol capsule msr 20 mg"), quantity=16)
    return await visitors.place(order.model_copy(update={"remark": "Graag <b>bellen</b>"}))


def row_of(visitor: Visitor, order: str) -> Locator:
    return visitor.page.locator(f"#row-{order}-1")


async def refuse(visitor: Visitor, order: str, words: str) -> None:
    """Fill in the form in the row, and send it."""
    row = row_of(visitor, order)
    if not await row.locator("textarea").is_visible():
        await row.locator("summary").click()
    await row.locator("textarea").fill(words)
    await row.locator("button[value=refused]").click()


@pytest.mark.parametrize("kind", LOOKS, ids=str)
async def test_pages_with_orders_on_them_are_good_to_look_at(
    visitors: Visitors, kind: Kind
) -> None:
    """Given an order in review; then each page passes, all that fail listed."""
    await in_review(visitors, "pat_example01")
    failed = []
    for name, path, person in PAGES:
        visitor = await visitors.login(person, kind)
        await visitor.go(path)
        try:
            await visitor.check(name)
        except AssertionError as wrong:
            failed.append(f"{name}: {wrong}")
    assert not failed, "\n".join(failed)


@pytest.mark.parametrize("kind", ALL_KINDS, ids=str)
async def test_a_refusal_needs_words_and_says_what_was_decided(
    visitors: Visitors, kind: Kind
) -> None:
    """Given a refusal without words; then the reason stands beside the field. With words it is one."""
    order = await in_review(visitors)
    visitor = await visitors.login(ASSISTANT, kind)
    await visitor.go("/practice/reviews")
    await refuse(visitor, order, "")
    await expect(visitor.page.locator(f"#explanation-{order}-1-error")).to_be_visible()
    visitor.wrong.clear()
    await visitor.check("practice-refusal-without-words")
    await refuse(visitor, order, "Eerst bloed prikken")
    said = visitor.page.get_by_text(visitor.text("You"), exact=False).filter(has_text="Omeprazol")
    await expect(said.last).to_be_visible()
    await visitor.check("practice-refused")


async def test_the_focus_stays_in_the_row(visitors: Visitors) -> None:
    """Given a decision by keyboard; then the focus is on what was decided, and before that in the field."""
    order = await in_review(visitors)
    visitor = await visitors.login(ASSISTANT)
    await visitor.go("/practice/reviews")
    await refuse(visitor, order, "")
    await expect(visitor.page.locator(f"#explanation-{order}-1")).to_be_focused()
    await refuse(visitor, order, "Eerst bloed prikken")
    await expect(row_of(visitor, order).locator(".decided")).to_be_focused()


async def test_who_is_later_reads_in_the_row_who_was_earlier(visitors: Visitors) -> None:
    order = await in_review(visitors)
    assistant, gp = await visitors.login(ASSISTANT), await visitors.login(GP)
    for visitor in (assistant, gp):
        await visitor.go("/practice/reviews")
    for visitor in (gp, assistant):
        await row_of(visitor, order).locator("button[value=approved]").click()
        await expect(row_of(visitor, order).locator(".decided")).to_be_visible()
    who = assistant.text("A GP")
    await expect(row_of(assistant, order)).to_contain_text(who)
    assert await assistant.page.locator("main").count() == 1


async def test_without_a_session_the_whole_window_goes_to_login_and_back(
    visitors: Visitors,
) -> None:
    """Given a session that is over; when a refusal is sent, then after login its words are back, not sent."""
    order = await in_review(visitors)
    visitor = await visitors.login(ASSISTANT)
    await visitor.go("/practice/reviews")
    cookies = await visitor.page.context.cookies(visitor.site.replace("http:", "https:"))
    (id,) = [each["value"] for each in cookies if each["name"] == SESSION]
    await change_session(visitors.stack, id, "seen_at = now() - interval '31 minutes'")
    await refuse(visitor, order, "Eerst bloed prikken")
    await visitor.choose(ASSISTANT)
    await expect(row_of(visitor, order).locator("textarea")).to_have_value("Eerst bloed prikken")


async def test_when_ordering_is_away_a_word_comes_into_the_row_and_the_text_stays(
    visitors: Visitors,
) -> None:
    order = await in_review(visitors)
    visitor = await visitors.login(ASSISTANT)
    await visitor.go("/practice/reviews")
    await visitors.stack.kill("ordering")
    try:
        await refuse(visitor, order, "Eerst bloed prikken")
        await expect(visitor.page.locator(f"#news-{order}-1 .error")).to_be_visible()
        await expect(row_of(visitor, order).locator("textarea")).to_have_value(
            "Eerst bloed prikken"
        )
    finally:
        await visitors.stack.start("ordering")
        await visitors.stack.services_ready()
    await refuse(visitor, order, "Eerst bloed prikken")
    await expect(row_of(visitor, order).locator(".decided")).to_be_visible()
