"""What happened to an order and why, in a browser: as the patient reads it, and as the practice does."""

from uuid import UUID

import httpx
import pytest
from playwright.async_api import expect

from schemas.access import Party
from tests.browser.conftest import Visitors
from tests.browser.visitor import LOOKS, Kind, Visitor
from tests.harness.made import METFORMINE, OMEPRAZOL, PRACTICE, an_order, as_json, entry

REFUSED = {"outcome": "refused", "explanation": "Kom eerst voor controle, graag."}


async def ordered(visitors: Visitors, patient: str) -> UUID:
    """Place an order of which the rules approve one medicine, and pass one on."""
    await visitors.empty_queue()
    order = an_order(patient, OMEPRAZOL, METFORMINE, remark=None)
    headers = visitors.bearer(Party.PATIENT, patients=(patient,)) | {"prefer": "wait=20"}
    async with httpx.AsyncClient(timeout=30, headers=headers) as http:
        url = f"{visitors.stack.endpoints['ordering']}/orders"
        answer = await http.post(url, json=as_json(order))
    assert answer.status_code == 200, answer.text
    return order.order_id


async def refused(visitors: Visitors, order_id: UUID) -> None:
    """Refuse the line that was passed on, as a GP."""
    headers = visitors.bearer(Party.GP, practice=PRACTICE) | {"prefer": "wait=20"}
    path = f"/orders/{order_id}/lines/1/review"
    async with httpx.AsyncClient(timeout=30, headers=headers) as http:
        answer = await http.put(f"{visitors.stack.endpoints['ordering']}{path}", json=REFUSED)
    assert answer.status_code == 200, answer.text


async def open_all(visitor: Visitor) -> None:
    """Open every part of the page that is folded."""
    for summary in await visitor.page.locator("main details.rules > summary").all():
        await summary.click()


@pytest.mark.parametrize("kind", LOOKS, ids=str)
async def test_the_past_of_an_order_is_told_to_its_patient_and_its_practice(
    visitors: Visitors, kind: Kind
) -> None:
    """Given an order with a line in review; when a GP refuses that; then each finds when, who and why."""
    patient, pat = await visitors.patient(
        entry(OMEPRAZOL, high_risk=True), entry(METFORMINE), kind=kind
    )
    order_id = await ordered(visitors, pat)
    gp = await visitors.login("Gijs Linde", kind)
    await gp.go("/practice/reviews")
    await (
        gp.page.locator(f"#row-{order_id}-1")
        .get_by_role("link")
        .filter(has_text=gp.text("The order"))
        .click()
    )
    await gp.sees("What happened")
    await refused(visitors, order_id)
    await gp.page.reload()
    await expect(gp.page.get_by_text(REFUSED["explanation"])).to_be_visible()
    await gp.check("practice-order")
    await open_all(gp)
    await gp.check("practice-order-all-rules")

    await patient.go(f"/patients/{pat}/orders/{order_id}")
    await patient.sees("What happened")
    await expect(patient.page.locator(".history")).to_contain_text(REFUSED["explanation"])
    await open_all(patient)
    await expect(patient.page.locator(".because")).to_be_visible()
    await patient.check("order-past")
