"""One order, of what was meant, for whom it was meant: whatever somebody clicks, types, or leaves open."""

import asyncio
from typing import Any

import pytest
from playwright.async_api import expect

from schemas.records.directory import Policy
from tests.browser.conftest import Visitors
from tests.browser.visitor import AT_A_DESK, Kind, Visitor
from tests.harness.made import METFORMINE, OMEPRAZOL, entry

MET, OME = METFORMINE[0], OMEPRAZOL[0]
BOTH = (entry(METFORMINE), entry(OMEPRAZOL))
PLAIN = Kind(javascript=False)
WITH_AND_WITHOUT_SCRIPT = pytest.mark.parametrize("kind", [AT_A_DESK, PLAIN], ids=str)


def ordered(orders: list[dict[str, Any]]) -> list[str]:
    """The medicines of all orders."""
    return sorted(line["prk"] for order in orders for line in order["lines"])


@WITH_AND_WITHOUT_SCRIPT
async def test_a_form_that_was_sent_and_then_changed_is_no_second_order(
    visitors: Visitors, kind: Kind
) -> None:
    """Given metformine ordered in one tab, and the form still open in another; when omeprazol is ticked there
    too and sent; then the page says that the first order stands, and one click orders omeprazol alone."""
    petra, patient = await visitors.patient(*BOTH, kind=kind)
    await petra.go("/")
    other = await petra.tab()
    await other.go("/")
    await petra.order(MET)
    await petra.button("Send the order").click()
    await petra.sees("Your order is approved")
    await other.fill_in(MET, OME)
    await other.button("Check the order").click()
    await other.sees("You had already sent this order")
    await other.check("order-7-conflict")
    assert ordered(await visitors.orders(patient)) == [MET]
    await other.button("Order only this as well").click()
    await other.page.wait_for_url("**/orders/*")
    assert ordered(await visitors.orders(patient)) == sorted([MET, OME])


async def test_two_tabs_with_the_same_form_make_one_order(visitors: Visitors) -> None:
    """Given the page to check open in two tabs; when both are sent; then both show the one order."""
    petra, patient = await visitors.patient(*BOTH)
    await petra.go("/")
    await petra.order(MET)
    other = await petra.tab()
    await other.go(f"/patients/{patient}/order/check")
    for tab in (petra, other):
        await tab.button("Send the order").click()
        await tab.page.wait_for_url("**/orders/*")
    assert petra.page.url == other.page.url
    assert ordered(await visitors.orders(patient)) == [MET]


@WITH_AND_WITHOUT_SCRIPT
async def test_a_double_click_is_one_order(visitors: Visitors, kind: Kind) -> None:
    petra, patient = await visitors.patient(*BOTH, kind=kind)
    await petra.go("/")
    await petra.order(MET)
    await petra.button("Send the order").dblclick()
    await petra.page.wait_for_url("**/orders/*")
    assert len(await visitors.orders(patient)) == 1


MOST = Policy().remark_length
LONGEST = "\n".join(["1234567"] * 50) + "👵" * 10
LONGEST += "é" * (MOST - len(LONGEST))


async def test_the_longest_remark_is_as_long_in_the_page_as_for_the_practice(
    visitors: Visitors,
) -> None:
    """Given 500 code points with 50 lines and 10 emoji; then it is one too many with one more, which the
    page says with the text kept; without it, it is sent as it was typed, and looked at."""
    petra, patient = await visitors.patient(*BOTH)
    await petra.go("/")
    await petra.fill_in(MET, remark=LONGEST)
    counter = petra.page.locator("#remark-counter")
    await expect(counter).to_have_text(petra.text("Characters left: {n}").replace("{n}", "0"))
    await petra.page.locator("#remark").fill(LONGEST + "x")
    over = petra.text("Characters too many: {n}").replace("{n}", "1")
    await expect(counter).to_have_text(over)
    await petra.button("Check the order").click()
    said = petra.text("Your remark is too long. Characters too many: %(over)s", over=1)
    await expect(petra.page.locator("#remark-error")).to_contain_text(said)
    await expect(petra.page.locator("#remark")).to_have_value(LONGEST + "x")
    await petra.page.locator("#remark").fill(LONGEST)
    await petra.button("Check the order").click()
    await petra.button("Send the order").click()
    await petra.page.wait_for_url("**/orders/*")
    (order,) = await visitors.orders(patient)
    assert (order["remark"], order["state"]) == (LONGEST, "in_review")


async def test_a_remark_of_ten_thousand_characters_is_refused_and_kept(visitors: Visitors) -> None:
    petra, patient = await visitors.patient(*BOTH)
    await petra.go("/")
    text = "te lang " * 1249 + "te lang!"
    await petra.fill_in(MET, remark=text)
    await petra.button("Check the order").click()
    said = petra.text(
        "Your remark is too long. Characters too many: %(over)s", over=len(text) - MOST
    )
    await expect(petra.page.locator("#remark-error")).to_contain_text(said)
    await expect(petra.page.locator("#remark")).to_have_value(text)
    await petra.check("order-1-long-remark")
    assert await visitors.orders(patient) == []


ODD = (
    "<script>document.title='x'</script><img src=x onerror=alert(1)> {{ 7*7 }} שלום مرحبا 👵🏽 \"'>"
)


@WITH_AND_WITHOUT_SCRIPT
async def test_what_looks_like_html_is_text_on_every_page(visitors: Visitors, kind: Kind) -> None:
    """Given a remark with HTML, text from right to left and emoji; then each page shows it as it was typed."""
    petra, _ = await visitors.patient(*BOTH, kind=kind)
    await petra.go("/")
    await petra.order(MET, remark=ODD)
    words = petra.page.locator(".own-words").first
    await expect(words).to_have_text(ODD)
    await petra.check("order-2-odd-remark")
    await petra.button("Send the order").click()
    await petra.page.wait_for_url("**/orders/*")
    await expect(words).to_have_text(ODD)
    assert await petra.page.locator("main script, main img").count() == 0
    await petra.check("order-3-in-review")


async def test_a_proxys_form_is_for_the_patient_that_it_names(visitors: Visitors) -> None:
    """Given Carla with Bram's form checked in one tab; when another tab shows Bas meanwhile and she sends the
    first; then the order is Bram's, and title, heading and button have named him."""
    bram, bas = "pat_example02", "pat_example03"
    carla = await visitors.login("Carla Voorbeeld")
    await carla.go(f"/patients/{bram}/medicines")
    name = await carla.page.locator(".acting strong").inner_text()
    await carla.fill_in("9210")
    await carla.button("Check the order").click()
    await expect(carla.heading("Check the order for %(name)s", name=name)).to_be_visible()
    assert name in await carla.page.title()
    await carla.check("proxy-check")
    other = await carla.tab()
    await other.go(f"/patients/{bas}/medicines")
    await carla.button("Send the order for %(name)s", name=name).click()
    await carla.page.wait_for_url(f"**/patients/{bram}/orders/*")
    await carla.check("proxy-answer")
    assert ordered(await visitors.orders(bram)) == ["9210"]
    assert await visitors.orders(bas) == []


async def test_nobodys_order_is_for_a_patient_of_somebody_else(visitors: Visitors) -> None:
    """Given a form whose address was changed to another patient; then it is not found, and not ordered."""
    petra, _ = await visitors.patient(*BOTH)
    _, other = await visitors.patient(*BOTH)
    await petra.go("/")
    await petra.order(MET)
    form = petra.page.locator("main form")
    await form.evaluate("(it, action) => it.action = action", f"/patients/{other}/order")
    await petra.button("Send the order").click()
    await petra.sees("This page does not exist")
    assert await visitors.orders(other) == []


async def test_eight_tabs_work_beside_each_other(visitors: Visitors) -> None:
    """Given seven tabs with the page of an order; then an eighth is there within two seconds, and orders."""
    petra, patient = await visitors.patient(*BOTH)
    await petra.go("/")
    await petra.order(MET)
    await petra.button("Send the order").click()
    await petra.page.wait_for_url("**/orders/*")
    tabs = [await petra.tab() for _ in range(7)]
    await asyncio.gather(*(tab.page.goto(petra.page.url) for tab in tabs[:6]))
    last: Visitor = tabs[-1]
    async with asyncio.timeout(2):
        await last.go(f"/patients/{patient}/medicines")
    await last.order(OME)
    await last.button("Send the order").click()
    await last.page.wait_for_url("**/orders/*")
    assert ordered(await visitors.orders(patient)) == sorted([MET, OME])
