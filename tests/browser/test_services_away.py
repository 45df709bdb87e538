"""A service that is away: its part of the page says so, the rest works, and a form keeps what was typed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import expect

from tests.browser.conftest import Visitors
from tests.harness.made import METFORMINE, entry

MET = METFORMINE[0]


@asynccontextmanager
async def away(visitors: Visitors, service: str) -> AsyncIterator[None]:
    """Stop a service, and start it again at the end."""
    await visitors.stack.stop(service)
    try:
        yield
    finally:
        await visitors.stack.start(service)


async def test_without_medication_one_can_order(visitors: Visitors) -> None:
    petra, patient = await visitors.patient(entry())
    async with away(visitors, "medication"):
        await petra.go("/")
        await petra.check("medicines-without-medication")
        await petra.order(MET)
        await petra.button("Send the order").click()
        await petra.sees("Your order is approved")
    assert len(await visitors.orders(patient)) == 1


async def test_without_notification_the_answer_says_what_it_cannot_show(visitors: Visitors) -> None:
    petra, patient = await visitors.patient(entry())
    async with away(visitors, "notification"):
        await petra.go("/")
        await petra.order(MET)
        await petra.button("Send the order").click()
        await petra.sees("Your order is approved")
        await petra.sees("We cannot show this part now")
        await petra.check("order-3-without-notification")
        await petra.go(f"/patients/{patient}/messages")
        await petra.sees("We cannot show this part now")
        await petra.check("messages-without-notification")


async def test_without_ordering_a_form_keeps_what_was_typed(visitors: Visitors) -> None:
    """Given a form that is filled in; when ordering goes away before it is sent on; then a page says so, and
    once ordering is back, the form is as it was typed, and nothing was ordered."""
    petra, patient = await visitors.patient(entry())
    await petra.go("/")
    await petra.fill_in(MET, remark="Alleen 's ochtends thuis.")
    async with away(visitors, "ordering"):
        await petra.button("Check the order").click()
        await expect(petra.page.locator("h1")).to_be_visible()
        await petra.check("order-1-without-ordering")
        await petra.go(f"/patients/{patient}/orders")
        await petra.sees("We cannot show this part now")
        await petra.check("orders-without-ordering")
    await petra.go(f"/patients/{patient}/medicines")
    await expect(petra.box(MET)).to_be_checked()
    await expect(petra.page.locator("#remark")).to_have_value("Alleen 's ochtends thuis.")
    assert await visitors.orders(patient) == []
