"""A session that ends in the middle: what was typed is kept for who typed it, and nobody else sees anything of
it."""

from playwright.async_api import expect

from portal.session.cookies import SESSION
from tests.browser.conftest import Visitors
from tests.browser.visitor import Visitor
from tests.harness.portal import change_session

ANNA = "pat_example01"
SIMVASTATINE = "61034"
REMARK = "Graag vóór vrijdag: wij gaan op reis."


async def leave_alone_too_long(visitors: Visitors, visitor: Visitor) -> None:
    """Let the visitor's session run out."""
    cookies = await visitor.page.context.cookies()
    id = next(one["value"] for one in cookies if one["name"] == SESSION)
    await change_session(visitors.stack, id, "seen_at = now() - interval '31 minutes'")


async def typed_too_late(visitors: Visitors) -> Visitor:
    """Anna, whose session was over when she sent her form: on the login page."""
    anna = await visitors.login("Anna Voorbeeld")
    await anna.fill_in(SIMVASTATINE, remark=REMARK)
    await leave_alone_too_long(visitors, anna)
    await anna.button("Check the order").click()
    await anna.page.wait_for_url("**/authorize?*")
    return anna


async def test_what_was_typed_is_there_after_login_and_nothing_was_ordered(
    visitors: Visitors,
) -> None:
    before = await visitors.orders(ANNA)
    anna = await typed_too_late(visitors)
    await anna.choose("Anna Voorbeeld")
    await anna.sees("You had started this order")
    await expect(anna.box(SIMVASTATINE)).to_be_checked()
    await expect(anna.page.locator("#remark")).to_have_value(REMARK)
    await anna.check("medicines-begun")
    assert await visitors.orders(ANNA) == before


async def test_somebody_else_at_the_same_browser_sees_nothing_of_it(visitors: Visitors) -> None:
    anna = await typed_too_late(visitors)
    await anna.choose("Bram Voorbeeld")
    await anna.sees("My medicines")
    assert "pat_example02" in anna.page.url
    shown = await anna.page.content()
    assert REMARK not in shown
    assert ANNA not in shown
    assert not await anna.heading("You had started this order").count()


async def test_after_logout_going_back_shows_nothing(visitors: Visitors) -> None:
    """Given pages of Anna in the browser's history; when she logs out; then going back and forward asks to log
    in, and the browser's storage holds nothing."""
    anna = await visitors.login("Anna Voorbeeld")
    await anna.link("My orders").click()
    await anna.sees("My orders")
    stored = "sessionStorage.length + localStorage.length"
    assert await anna.page.evaluate(stored) == 0
    await anna.button("Log out").click()
    await anna.sees("Order your repeat medication online")
    for _ in range(2):
        await anna.page.go_back()
        await expect(anna.page.get_by_role("button", name="Anna Voorbeeld")).to_be_visible()
    assert "Metformine" not in await anna.page.content()


async def test_after_its_idle_end_a_page_asks_to_log_in_and_comes_back(visitors: Visitors) -> None:
    anna = await visitors.login("Anna Voorbeeld")
    await leave_alone_too_long(visitors, anna)
    await anna.link("My orders").click()
    await anna.choose("Anna Voorbeeld")
    await anna.sees("My orders")
