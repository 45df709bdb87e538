"""Make the screenshots of the guide: a made-up patient and proxy on a phone, in Dutch and English.

Needs Chromium, and a new stack of `./herhaal up --data NEW-FOLDER`: the pictures show somebody's first order.

    .venv/bin/python -m docs.guide.make_screenshots [http://127.0.0.1:8100]
"""

import sys
from pathlib import Path

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from cli.chromium import find_chromium

FOLDER = Path(__file__).parent / "screenshots"
PHONE: ViewportSize = {"width": 390, "height": 844}
MOST_BYTES = 120_000

METFORMIN = "5487"
SIMVASTATIN = "61034"
"""PRK codes of the example (`deploy/example/overviews.yaml`)."""


def main(portal: str) -> None:
    """Make all pictures, in the order in which a patient sees them."""
    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_chromium(), args=["--no-sandbox", "--disable-gpu"]
        )
        for language, medicine in (("nl", METFORMIN), ("en", SIMVASTATIN)):
            patient(Visit(browser, portal, language, "Anna Voorbeeld"), medicine)
            proxy(Visit(browser, portal, language, "Carla Voorbeeld"))
        browser.close()


class Visit:
    """Somebody who is logged in, on a phone."""

    def __init__(self, browser: Browser, portal: str, language: str, person: str) -> None:
        context = browser.new_context(viewport=PHONE, locale=language, reduced_motion="reduce")
        self.page: Page = context.new_page()
        self.language = language
        self.page.goto(f"{portal}/login")
        self.page.get_by_role("button", name=person).click()
        self.page.wait_for_url(f"{portal}/**")
        self.portal = portal

    def go(self, part: str) -> None:
        """Open a page of Anna's."""
        self.page.goto(f"{self.portal}/patients/pat_example01/{part}")

    def keep(self, name: str, part: str = "h1") -> None:
        """Keep what a phone shows of the page, from this part on."""
        self.page.evaluate("document.fonts.ready")
        if part != "h1":
            self.page.locator(part).first.evaluate("it => it.scrollIntoView({block: 'start'})")
        path = FOLDER / f"{name}.{self.language}.png"
        self.page.screenshot(path=path)
        if (size := path.stat().st_size) > MOST_BYTES:
            raise SystemExit(f"{path.name} has {size} bytes, more than {MOST_BYTES}.")


def patient(visit: Visit, medicine: str) -> None:
    """Anna orders, reads the answer, and looks around."""
    page = visit.page
    visit.go("medicines")
    page.locator(f"#medicine-{medicine}").check()
    page.evaluate("window.scrollTo(0, 0)")
    visit.keep("medicines")
    visit.keep("not-now", "#not-now")
    page.locator("input[name=pharmacy]").first.check()
    visit.keep("order", "#pharmacy")
    page.locator("main .actions button.button").click()
    page.wait_for_url("**/order/check")
    visit.keep("check")
    page.locator("main button.button").first.click()
    page.wait_for_url("**/orders/*-*")
    page.locator(".notice.good").wait_for()
    visit.keep("answer")
    page.locator("a.button.danger").click()
    visit.keep("cancel")
    for part in ("orders", "messages", "missing", "me"):
        visit.go(part)
        visit.keep(part)
    visit.keep("looked", "main h2 >> nth=-3")


def proxy(visit: Visit) -> None:
    """Carla sees for whom she may order, and chooses."""
    visit.keep("for")
    visit.page.locator("main a").first.click()
    visit.keep("acting")


if __name__ == "__main__":
    main(*(sys.argv[1:] or ["http://127.0.0.1:8100"]))
