"""News comes to open pages by itself: read out once, in every tab, and to nobody who has logged out."""

import asyncio
import time

import httpx
from playwright.async_api import expect

from schemas.access import Party
from tests.browser.conftest import Visitors
from tests.browser.visitor import Visitor
from tests.harness.made import PRACTICE, entry

TABS = 8
"""More than the six connections that a browser has to a host over HTTP/1.1."""


async def wait_in_review(visitors: Visitors) -> tuple[Visitor, str]:
    """A patient who has ordered with a remark, on the page that waits for the practice; and the order's id."""
    visitor, patient = await visitors.patient(entry())
    await visitor.go(f"/patients/{patient}/medicines")
    await visitor.order("5487", remark="Ik ga op reis")
    await visitor.button("Send the order").click()
    await visitor.sees("Your practice is looking at your order")
    return visitor, visitor.page.url.rpartition("/")[2]


async def approve(visitors: Visitors, order_id: str) -> None:
    """Approve the order's line, as a GP of the practice."""
    async with httpx.AsyncClient(timeout=30) as http:
        answer = await http.put(
            f"{visitors.stack.endpoints['ordering']}/orders/{order_id}/lines/1/review",
            json={"outcome": "approved"},
            headers=visitors.bearer(Party.GP, practice=PRACTICE) | {"prefer": "wait=20"},
        )
    assert answer.status_code == 200, answer.text


async def test_the_answer_appears_by_itself_and_is_read_out_once(visitors: Visitors) -> None:
    """Given a page that waits; when the practice approves; then the same place says so, and the focus stays."""
    visitor, order_id = await wait_in_review(visitors)
    news = await visitor.page.query_selector("#news")
    assert news is not None
    assert (await news.get_attribute("role"), await news.inner_text()) == ("status", "")
    await visitor.link("My orders").focus()
    await visitor.page.evaluate("""() => {
        window.changes = 0;
        new MutationObserver(() => { window.changes += 1; })
            .observe(document.getElementById("news"), { childList: true });
    }""")
    await approve(visitors, order_id)
    await visitor.sees("Your order is approved")
    assert await news.inner_text() == visitor.text("Your order is approved")
    assert (await visitor.page.title()).startswith(visitor.text("Your order is approved"))
    # The message about when to collect comes a moment later: it changes the page, and is no other news.
    await visitor.sees("When you can collect it")
    assert await visitor.page.evaluate("() => window.changes") == 1
    focused = await visitor.page.evaluate("() => document.activeElement.textContent")
    assert focused.strip() == visitor.text("My orders")
    assert visitor.wrong == []


async def test_eight_tabs_share_one_stream(visitors: Visitors) -> None:
    """Given eight tabs with news; then the last one loads at once, and what happens is seen in the first."""
    visitor, order_id = await wait_in_review(visitors)
    path = visitor.page.url.removeprefix(visitor.site)
    tabs = [await visitor.tab() for _ in range(TABS - 1)]
    for tab in tabs:
        await tab.go(path)
    began_s = time.monotonic()
    await tabs[-1].page.reload()
    assert time.monotonic() - began_s < 2
    await approve(visitors, order_id)
    for tab in (visitor, tabs[0], tabs[-1]):
        await tab.sees("Your order is approved")


async def test_a_tab_that_closes_leaves_the_stream_to_another(visitors: Visitors) -> None:
    visitor, order_id = await wait_in_review(visitors)
    other = await visitor.tab()
    await other.go(visitor.page.url.removeprefix(visitor.site))
    await visitor.page.close()
    await approve(visitors, order_id)
    await other.sees("Your order is approved")


async def test_who_logs_out_elsewhere_is_told_on_the_open_page(visitors: Visitors) -> None:
    """Given an open page; when another tab logs out; then it is told to log in again, and nothing else."""
    visitor, order_id = await wait_in_review(visitors)
    other = await visitor.tab()
    await other.go("/about/privacy")
    await other.go("/")
    await other.button("Log out").click()
    await expect(other.page.get_by_role("heading", level=1)).to_be_visible()
    await expect(visitor.heading("You are logged out")).to_be_visible(timeout=25_000)
    await approve(visitors, order_id)
    await asyncio.sleep(1)
    await expect(visitor.heading("Your order is approved")).to_have_count(0)
