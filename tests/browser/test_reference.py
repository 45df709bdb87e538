"""The API reference at each service's `/docs`, under its content security policy."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, expect

from deploy.local import LocalStack
from schemas.access import Party
from tests.architecture.source import SERVICES

ANNA = "pat_example01"


@pytest.fixture
async def page(browser: Browser) -> AsyncIterator[Page]:
    """A page in a browser of its own."""
    context = await browser.new_context()
    context.set_default_timeout(20_000)
    yield await context.new_page()
    await context.close()


@pytest.mark.parametrize("service", SERVICES)
async def test_it_shows_every_operation_and_asks_nobody_else(
    stack: LocalStack, page: Page, service: str
) -> None:
    """Given a service; when its page opens; then all is there, from it alone, and nothing is refused."""
    site = stack.endpoints[service]
    wrong: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    await page.goto(f"{site}/docs")
    await expect(page.locator(".opblock-summary-path", has_text="/asyncapi.json")).to_be_visible()
    document = await (await page.request.get(f"{site}/openapi.json")).json()
    operations = sum(len(methods) for methods in document["paths"].values())
    await expect(page.locator(".opblock")).to_have_count(operations)
    assert [url for url in asked if not url.startswith((f"{site}/", "data:"))] == []
    assert wrong == []


async def test_a_token_works_and_is_kept_nowhere(stack: LocalStack, page: Page) -> None:
    """Given somebody who enters a token and tries an operation; then it answers, and a reload has no token."""
    await page.goto(f"{stack.endpoints['ordering']}/docs")
    await page.locator(".btn.authorize").click()
    await page.locator("#auth-bearer-value").fill(stack.token(Party.PATIENT, patients=(ANNA,)))
    await page.locator(".auth-btn-wrapper .authorize").click()
    await page.locator(".btn-done").click()
    orders = page.locator(".opblock", has_text="/patients/{patient}/orders")
    await orders.locator(".opblock-summary-control").click()
    await orders.locator(".try-out__btn").click()
    await orders.locator("tr[data-param-name=patient] input").fill(ANNA)
    await orders.locator(".execute").click()
    answer = orders.locator(".live-responses-table .response-col_status")
    await expect(answer.filter(has_text="200")).to_be_visible()
    kept = "[localStorage.length, sessionStorage.length, document.cookie]"
    assert await page.evaluate(kept) == [0, 0, ""]
    await page.reload()
    await expect(page.locator(".btn.authorize.unlocked")).to_be_visible()
