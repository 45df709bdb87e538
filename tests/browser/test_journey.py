"""A patient's journey from the welcome to a cancelled order: each language, each screen, without script too."""

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Visitors
from tests.browser.visitor import ALL_KINDS, Kind, Visitor
from tests.harness.made import entry

ANNA = "pat_example01"
METFORMINE = "5487"
TOO_LONG = "a" * 2001


@pytest.mark.parametrize("kind", ALL_KINDS, ids=str)
async def test_anna_orders_and_changes_her_mind(visitors: Visitors, kind: Kind) -> None:
    """Given Anna at the start page; when she orders with two mistakes first, goes back twice afterwards, and
    then cancels; then each page is right, and there is one order, cancelled."""
    before = len(await visitors.orders(ANNA))
    anna = await visitors.anybody(kind)
    await _arrive(anna)
    await _make_two_mistakes(anna)
    await _mend_them(anna)
    order = await _send(anna)
    await _go_back_twice(anna)
    await _find_and_cancel(anna, order)
    orders = await visitors.orders(ANNA)
    assert len(orders) == before + 1
    assert orders[0]["state"] == "cancelled"


async def _arrive(anna: Visitor) -> None:
    await anna.go("/")
    await anna.link("Log in").click()
    await anna.choose("Anna Voorbeeld")
    await anna.sees("My medicines")


async def _make_two_mistakes(anna: Visitor) -> None:
    await anna.fill_in(METFORMINE, remark=TOO_LONG)
    await anna.page.locator(f"#amount-{METFORMINE}").fill("veel")
    await anna.button("Check the order").click()
    summary = anna.page.locator("[role=alert]")
    await expect(summary).to_be_visible()
    assert (await anna.page.title()).startswith(f"{anna.text('Error:')} ")
    if anna.kind.javascript:
        await expect(summary).to_be_focused()
    assert (await anna.page.locator("main").inner_text()).startswith(await summary.inner_text())
    for field in (f"amount-{METFORMINE}", "remark"):
        await _is_said_to_be_wrong(anna, field)
    await expect(anna.box(METFORMINE)).to_be_checked()
    await expect(anna.page.locator("#remark")).to_have_value(TOO_LONG)
    await expect(anna.page.locator(f"#amount-{METFORMINE}")).to_have_value("veel")
    await anna.check("order-1-two-errors")


async def _is_said_to_be_wrong(visitor: Visitor, field: str) -> None:
    """Given an error; then the summary's link leads into its field, which says so itself."""
    at = visitor.page.locator(f"#{field}")
    await visitor.page.locator(f"[role=alert] a[href='#{field}']").click()
    await expect(at).to_be_focused()
    await expect(at).to_have_attribute("aria-invalid", "true")
    described = await at.get_attribute("aria-describedby") or ""
    assert f"{field}-error" in described.split()


async def _mend_them(anna: Visitor) -> None:
    await anna.page.locator("#remark").fill("")
    await anna.button("Check the order").click()
    await expect(anna.page.locator("[role=alert] li")).to_have_count(1)
    await anna.page.locator(f"#amount-{METFORMINE}").fill("90")
    await anna.button("Check the order").click()
    await anna.sees("Check your order")
    await anna.check("order-2-check")


async def _send(anna: Visitor) -> str:
    await anna.button("Send the order").click()
    await anna.page.wait_for_url("**/orders/*")
    await anna.sees("Your order is approved")
    collect = anna.heading("When you can collect it")
    for _ in range(10):
        if await collect.count():
            break
        await anna.page.wait_for_timeout(300)
        await anna.page.reload()
    await expect(collect).to_be_visible()
    await anna.check("order-3-answer")
    return anna.page.url


async def _go_back_twice(anna: Visitor) -> None:
    """The page to check it is over: what is sent from there, if anything, is no second order."""
    for _ in range(2):
        await anna.page.go_back()
        if await anna.button("Send the order").count():
            await anna.button("Send the order").click()
    await expect(anna.box(METFORMINE)).to_have_count(0)


async def _find_and_cancel(anna: Visitor, order: str) -> None:
    await anna.link("My orders").click()
    await anna.sees("My orders")
    await anna.page.locator("main li a").first.click()
    assert anna.page.url == order
    await anna.link("Cancel this order").click()
    await anna.check("order-4-cancel")
    await anna.button("Yes, cancel").click()
    await anna.sees("Your order is cancelled")
    await anna.check("order-5-cancelled")


@pytest.mark.parametrize("kind", [Kind("nl", "phone"), Kind("en", javascript=False)], ids=str)
async def test_an_error_of_a_group_leads_to_its_first_box(visitors: Visitors, kind: Kind) -> None:
    """Given nothing ticked and no pharmacy chosen; then each error's link puts the focus into its first box."""
    anna, _ = await visitors.patient(entry(), kind=kind)
    await anna.go("/")
    await anna.button("Check the order").click()
    links = anna.page.locator("[role=alert] a")
    await expect(links).to_have_count(2)
    for place, box in enumerate((anna.box(METFORMINE), anna.page.locator("[name=pharmacy]").first)):
        await links.nth(place).click()
        await expect(box).to_be_focused()
    await expect(anna.box(METFORMINE)).to_have_attribute("aria-invalid", "true")
    await anna.check("order-1-nothing-chosen")
