"""Browsers without a window: cookies, and what a browser says of where a form comes from."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from deploy.local import LocalStack
from tests.integration.portal.browser import Browser


class Browsers:
    """Makes browsers, each with cookies of its own."""

    def __init__(self, stack: LocalStack, opened: AsyncExitStack) -> None:
        self.stack = stack
        self._opened = opened

    async def new(self) -> Browser:
        """A browser where nobody has logged in."""
        browser = Browser(self.stack)
        return await self._opened.enter_async_context(browser)

    async def login(self, person: str = "pat_example01") -> Browser:
        """A browser where this person has logged in."""
        browser = await self.new()
        await browser.login(person)
        return browser


@pytest.fixture
async def browsers(stack: LocalStack) -> AsyncIterator[Browsers]:
    """Browsers that are closed after the test."""
    async with AsyncExitStack() as opened:
        yield Browsers(stack, opened)
