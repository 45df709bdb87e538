"""Every page in both languages, on a phone and at a desk: nothing for axe to find, and a screenshot to look at.

A new page is a row of `PAGES`.
"""

from dataclasses import dataclass

import pytest

from tests.browser.conftest import Visitors
from tests.browser.visitor import LOOKS, Kind


@dataclass(frozen=True)
class Shown:
    """A page to look at: the name of its screenshot, its path, and who looks; None for nobody in particular."""

    name: str
    path: str
    person: str | None = None


ANNA = "/patients/pat_example01"
BRAM = "/patients/pat_example02"

PAGES = (
    Shown("welcome", "/"),
    Shown("not-found", "/patients/pat_example02/medicines", "Anna Voorbeeld"),
    Shown("medicines", f"{ANNA}/medicines", "Anna Voorbeeld"),
    Shown("orders-none", f"{ANNA}/orders", "Anna Voorbeeld"),
    Shown("messages", f"{ANNA}/messages", "Anna Voorbeeld"),
    Shown("missing", f"{ANNA}/missing", "Anna Voorbeeld"),
    Shown("me", f"{ANNA}/me", "Anna Voorbeeld"),
    Shown("proxy-for", "/for", "Carla Voorbeeld"),
    Shown("proxy-medicines", f"{BRAM}/medicines", "Carla Voorbeeld"),
    Shown("proxy-orders", f"{BRAM}/orders", "Carla Voorbeeld"),
    Shown("practice-reviews", "/practice/reviews", "Dirk Linde"),
    Shown("practice-search", "/practice/patients", "Dirk Linde"),
    Shown("practice-patient", f"/practice{ANNA}", "Gijs Linde"),
    Shown("practice-figures", "/practice/orders", "Ilse Linde"),
    Shown("practice-policy", "/practice/policy", "Ilse Linde"),
    Shown("region-figures", "/region/orders", "Noor Lindewaard"),
    Shown("pharmacy-prescriptions", "/pharmacy/prescriptions", "Karim Vijzel"),
    Shown("operator-state", "/operator/state", "Otto Beheer"),
    Shown("accessibility", "/about/accessibility"),
    Shown("privacy", "/about/privacy"),
)


@pytest.mark.parametrize("kind", LOOKS, ids=str)
async def test_every_page_is_good_to_look_at(visitors: Visitors, kind: Kind) -> None:
    """Given everybody of the table, logged in once; then each of their pages passes, all of them listed."""
    failed = []
    for person in dict.fromkeys(shown.person for shown in PAGES):
        visitor = await (visitors.login(person, kind) if person else visitors.anybody(kind))
        for shown in (each for each in PAGES if each.person == person):
            await visitor.go(shown.path)
            try:
                await visitor.check(shown.name)
            except AssertionError as wrong:
                failed.append(f"{shown.name}: {wrong}")
            visitor.wrong.clear()
    assert not failed, "\n".join(failed)
