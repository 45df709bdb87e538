"""Make the screenshots of the guides, in Dutch and English: made-up people on a phone, a manager at a desk.

Needs Chromium, and a new stack of `./herhaal up --data NEW-FOLDER`: the pictures show somebody's first order.
Those for managers need past orders; DSN is PostgreSQL's, as administrator, as `up` prints it.

    .venv/bin/python -m tests.harness.past_orders DSN
    .venv/bin/python -m docs.guide.make_screenshots [http://127.0.0.1:8100 [patients | managers]]
"""

import sys
from pathlib import Path

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from cli.chromium import find_chromium

FOLDER = Path(__file__).parent / "screenshots"
PHONE: ViewportSize = {"width": 390, "height": 844}
DESK: ViewportSize = {"width": 1000, "height": 760}
MOST_BYTES = 120_000

METFORMIN = "5487"
SIMVASTATIN = "61034"
"""PRK codes of the example (`deploy/example/overviews.yaml`)."""
PATIENTS = (("nl", METFORMIN), ("en", SIMVASTATIN))
"""What is ordered, by the language of the pictures."""


def main(portal: str, only: str = "") -> None:
    """Make all pictures, or those of one guide, in the order in which somebody sees them."""
    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_chromium(), args=["--no-sandbox", "--disable-gpu"]
        )
        for language in ("nl", "en") if only != "patients" else ():
            manager(Visit(browser, portal, language, "Ilse Linde", DESK))
        for language, medicine in PATIENTS if only != "managers" else ():
            patient(Visit(browser, portal, language, "Anna Voorbeeld"), medicine)
            proxy(Visit(browser, portal, language, "Carla Voorbeeld"))
        browser.close()


class Visit:
    """Somebody who is logged in, on a phone or at a desk."""

    def __init__(
        self,
        browser: Browser,
        portal: str,
        language: str,
        person: str,
        size: ViewportSize = PHONE,
    ) -> None:
        context = browser.new_context(viewport=size, locale=language, reduced_motion="reduce")
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
        """Keep what the window shows of the page, from this part on."""
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


def manager(visit: Visit) -> None:
    """Ilse sees the policy, and tries another."""
    page = visit.page
    page.goto(f"{visit.portal}/practice/policy")
    visit.keep("policy")
    page.locator("#auto_approve").select_option("all_plain")
    page.locator("#expired_authorisation").select_option("refuse")
    page.locator("main button.button").click()
    page.locator("#result").wait_for()
    visit.keep("policy-tried", "#result")
    page.locator("main details summary").first.click()
    visit.keep("policy-examples", "main details")
    page.locator("main details summary").last.click()
    visit.keep("policy-switch", "main details >> nth=-1")


if __name__ == "__main__":
    main(*(sys.argv[1:] or ["http://127.0.0.1:8100"]))
