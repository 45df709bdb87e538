"""What axe cannot see: keyboard alone, size of targets, larger letters and spaces, high contrast, print."""

from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Visitors
from tests.browser.visitor import SCREENSHOTS, Kind, Visitor
from tests.harness.made import METFORMINE, OMEPRAZOL, entry

MOST_TABS = 40
"""Presses of the tab key within which everything on a page can be reached."""

PHONE = Kind(screen="phone")

PATIENT_PAGES = ("medicines", "orders", "messages", "me", "missing")

TOO_SMALL = """() => [...document.querySelectorAll("a, button, input, select, summary, textarea")]
    .filter((it) => it.type !== "hidden" && it.checkVisibility())
    .filter((it) => !(it.tagName === "A" && it.closest("p, li li, dd")))
    .map((it) => [it.outerHTML.slice(0, 80), it.getBoundingClientRect()])
    .filter(([, box]) => box.width > 1 && (box.width < 24 || box.height < 24))
    .map(([html, box]) => `${html} ${Math.round(box.width)} x ${Math.round(box.height)}`)"""
"""Targets under 24 CSS pixels (WCAG 2.5.8). A link in a sentence may be as high as its line."""

WIDE_SPACES = """() => {
    const style = document.documentElement.style;
    style.setProperty("line-height", "1.5", "important");
    for (const it of document.querySelectorAll("*")) {
        it.style.setProperty("letter-spacing", "0.12em", "important");
        it.style.setProperty("word-spacing", "0.16em", "important");
    }
}"""
"""Text spacing as WCAG 1.4.12 has it."""

CUT_OFF = """() => [...document.querySelectorAll("main *, header *")]
    .filter((it) => it.checkVisibility() && getComputedStyle(it).overflow === "hidden")
    .filter((it) => it.scrollWidth > it.clientWidth + 1 && it.clientWidth > 1)
    .map((it) => it.outerHTML.slice(0, 80))"""


async def tab_to(page: Page, selector: str) -> None:
    """Press the tab key until this has the focus."""
    for _ in range(MOST_TABS):
        await page.keyboard.press("Tab")
        if await page.locator(f"{selector}:focus").count():
            return
    pytest.fail(f"{selector} cannot be reached with {MOST_TABS} tabs")


async def a_patient(visitors: Visitors, kind: Kind) -> tuple[Visitor, str]:
    """Somebody who can order two medicines, on the page of medicines."""
    visitor, patient = await visitors.patient(entry(METFORMINE), entry(OMEPRAZOL), kind=kind)
    await visitor.go(f"/patients/{patient}/medicines")
    return visitor, patient


async def test_an_order_is_placed_with_the_keyboard_alone(visitors: Visitors) -> None:
    """Given no mouse; then tab, space and enter lead from the list to the answer, with the focus to be seen."""
    visitor, _ = await a_patient(visitors, Kind())
    page = visitor.page
    await page.keyboard.press("Tab")
    await expect(page.locator(".skip:focus")).to_be_in_viewport()
    await tab_to(page, f"#medicine-{METFORMINE[0]}")
    outline = await page.evaluate("() => getComputedStyle(document.activeElement).outlineWidth")
    assert outline == "3px"
    await page.keyboard.press("Space")
    await tab_to(page, "input[name=pharmacy]")
    await page.keyboard.press("Space")
    await tab_to(page, "form button.button")
    await page.keyboard.press("Enter")
    await visitor.sees("Check your order")
    await tab_to(page, "form button.button")
    await page.keyboard.press("Enter")
    await visitor.sees("Your order is approved")


@pytest.mark.parametrize("kind", [PHONE, Kind()], ids=str)
async def test_every_target_is_large_enough_for_a_finger(visitors: Visitors, kind: Kind) -> None:
    visitor, patient = await a_patient(visitors, kind)
    small: dict[str, Any] = {}
    for name in PATIENT_PAGES:
        await visitor.go(f"/patients/{patient}/{name}")
        if found := await visitor.page.evaluate(TOO_SMALL):
            small[name] = found
    assert small == {}


async def test_wide_spaces_and_letters_of_twice_the_size_cut_nothing_off(
    visitors: Visitors,
) -> None:
    """Given text spacing as wide as WCAG asks, at half the width (200 %); then nothing is cut or hidden."""
    visitor, patient = await a_patient(visitors, Kind())
    await visitor.page.set_viewport_size({"width": 640, "height": 800})
    for name in PATIENT_PAGES:
        await visitor.go(f"/patients/{patient}/{name}")
        await visitor.page.evaluate(WIDE_SPACES)
        assert await visitor.page.evaluate(CUT_OFF) == [], name
        width = await visitor.page.evaluate("() => document.documentElement.scrollWidth")
        assert width <= 640, name


async def test_high_contrast_and_print_are_looked_at(visitors: Visitors) -> None:
    """Given forced colours, and paper; then there is a screenshot of each, and what is pressed has a border."""
    visitor, patient = await a_patient(visitors, Kind())
    page = visitor.page
    await page.emulate_media(forced_colors="active")
    border = await page.evaluate(
        "() => getComputedStyle(document.querySelector('main .button')).borderTopWidth"
    )
    assert border == "2px"
    await page.screenshot(path=SCREENSHOTS / "forced-colours.png", full_page=True)
    await page.emulate_media(forced_colors="none", media="print")
    await expect(page.locator(".menu")).to_be_hidden()
    await page.screenshot(path=SCREENSHOTS / "print.png", full_page=True)
    assert patient in page.url
