"""A visitor: a page in a browser, what is expected of every page, and the few things that a person does."""

from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import ConsoleMessage, Locator, Page, Response, ViewportSize, expect

from portal.web.languages import translations
from schemas.reasons import LANGUAGES, Language

SCREENSHOTS = Path(__file__).parents[2] / ".herhaal" / "screenshots"

SIZES: dict[str, ViewportSize] = {
    "phone": {"width": 390, "height": 844},
    "desk": {"width": 1280, "height": 900},
}
NARROWEST = 320
"""Pixels: as wide as a page of 1280 at 400 % (WCAG 1.4.10)."""

_WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
_AXE = {"runOnly": {"type": "tag", "values": _WCAG}, "resultTypes": ["violations"]}


@dataclass(frozen=True)
class Kind:
    """How somebody visits: in a language, on a screen, with or without JavaScript."""

    language: Language = "nl"
    screen: str = "desk"
    javascript: bool = True

    @property
    def size(self) -> ViewportSize:
        """The size of the window."""
        return SIZES[self.screen]

    def __str__(self) -> str:
        return f"{self.language}-{self.screen}{'' if self.javascript else '-plain'}"


AT_A_DESK = Kind()

LOOKS = [Kind(language, screen) for language, screen in product(LANGUAGES, SIZES)]
"""Both languages on both screens."""

ALL_KINDS = [
    Kind("nl", "phone"),
    Kind("en", "desk"),
    Kind("nl", "desk", javascript=False),
    Kind("en", "phone", javascript=False),
]
"""Each two of language, screen and JavaScript together at least once."""


@dataclass
class Visitor:
    """Somebody at a browser. `site` is the portal's address."""

    page: Page
    site: str
    kind: Kind
    wrong: list[str] = field(default_factory=list)
    """What the browser or a page's headers say is wrong, such as a breach of the content security policy."""

    def __post_init__(self) -> None:
        self.watch(self.page)

    def watch(self, page: Page) -> None:
        """Note what is wrong on this page too."""
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on("response", self._on_response)

    def text(self, english: str, **values: Any) -> str:
        """A text of the portal in the visitor's language."""
        found = translations(self.kind.language).gettext(english)
        return found % values if values else found

    async def tab(self) -> "Visitor":
        """The same person in another tab."""
        return Visitor(await self.page.context.new_page(), self.site, self.kind, self.wrong)

    async def go(self, path: str) -> Response | None:
        """Open a page of the portal."""
        return await self.page.goto(f"{self.site}{path}")

    async def choose(self, person: str) -> None:
        """Log in at the issuer as somebody whom its page lists."""
        await self.page.get_by_role("button", name=person).click()
        await self.page.wait_for_url(f"{self.site}/**")

    def button(self, english: str, **values: Any) -> Locator:
        """A button, by its text."""
        return self.page.get_by_role("button", name=self.text(english, **values), exact=True)

    def link(self, english: str, **values: Any) -> Locator:
        """A link, by its text."""
        return self.page.get_by_role("link", name=self.text(english, **values), exact=True)

    def heading(self, english: str, **values: Any) -> Locator:
        """A heading, by its text."""
        return self.page.get_by_role("heading", name=self.text(english, **values))

    def box(self, prk: str) -> Locator:
        """The box of a medicine on the order form."""
        return self.page.locator(f"#medicine-{prk}")

    async def sees(self, english: str, **values: Any) -> None:
        """Expect that a heading is on the page."""
        await expect(self.heading(english, **values).first).to_be_visible()

    async def fill_in(self, *prks: str, remark: str = "") -> None:
        """Tick these medicines, choose the first pharmacy, and write a remark."""
        for prk in prks:
            await self.box(prk).check()
        await self.page.locator("input[name=pharmacy]").first.check()
        await self.page.locator("#remark").fill(remark)

    async def order(self, *prks: str, remark: str = "") -> None:
        """Fill in the form, and go on to the page to check it."""
        await self.fill_in(*prks, remark=remark)
        await self.button("Check the order").click()
        await self.sees("Check your order")

    async def check(self, state: str) -> None:
        """Expect of the page what is expected of all pages, and keep a screenshot of it under this name."""
        await self.page.screenshot(path=SCREENSHOTS / f"{state}-{self.kind}.png", full_page=True)
        assert await self.page.locator("html").get_attribute("lang") == self.kind.language
        assert await self.page.locator("h1").count() == 1
        assert await self.page.locator("main").count() == 1
        await self._fits_a_narrow_screen()
        if self.kind.javascript:
            await self._is_accessible()
        assert self.wrong == []

    async def _is_accessible(self) -> None:
        # Given to the page by the browser: the content security policy lets no script of ours in.
        found = await Axe().run(self.page, options=_AXE)
        assert found.violations_count == 0, found.generate_report()

    async def _fits_a_narrow_screen(self) -> None:
        if self.kind.screen != "phone":
            return
        await self.page.set_viewport_size({"width": NARROWEST, "height": 800})
        width = await self.page.evaluate("document.documentElement.scrollWidth")
        await self.page.set_viewport_size(self.kind.size)
        assert width <= NARROWEST, f"{width} px wide"

    def _on_console(self, message: ConsoleMessage) -> None:
        # The status of a page that says what is wrong is no fault of the page.
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            self.wrong.append(message.text)

    def _on_response(self, response: Response) -> None:
        is_page = response.headers.get("content-type", "").startswith("text/html")
        if is_page and response.headers.get("cache-control") != "no-store":
            self.wrong.append(f"may be kept: {response.url}")
