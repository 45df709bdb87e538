"""A practice's lines in review on the running stack: listed oldest first, page by page."""

from typing import Any

import httpx
import pytest

from deploy.local import LocalStack
from samples.codes import practice_code
from schemas import topics
from schemas.access import Party
from schemas.records.orders import OrderPlace
from tests.harness.kafka import eventually, send, sent
from tests.harness.made import (
    METFORMINE,
    OMEPRAZOL,
    PHARMACY,
    a_patient,
    an_import,
    an_order,
    entry,
)
from tests.integration.ordering_api import OrderingClient, is_problem

WAIT_S = 20
LINDE, HEIDE = practice_code(931), practice_code(932)


@pytest.fixture
def ordering(stack: LocalStack, http: httpx.AsyncClient) -> OrderingClient:
    return OrderingClient(stack, http)


async def a_patient_of(ordering: OrderingClient, practice: str) -> str:
    """A patient of this practice with metformine, and omeprazol, which is of high risk."""
    patient = a_patient()
    listed = (entry(METFORMINE), entry(OMEPRAZOL, high_risk=True))
    change = an_import(patient, *listed, practice=practice)
    await send(ordering.stack.kafka, [sent(topics.MEDICATION_CHANGES.name, change)])
    await eventually(lambda: ordering.count("overviews", "patient", patient), lambda n: n == 1)
    return patient


async def placed(
    ordering: OrderingClient, practice: str, *medicines: Any, **changes: Any
) -> OrderPlace:
    """An order of a new patient of this practice, decided by its rules."""
    patient = await a_patient_of(ordering, practice)
    order = an_order(patient, *medicines, practice=practice, **changes)
    answer = await ordering.place(order, wait=WAIT_S)
    assert answer.status_code == 200, answer.text
    return order


async def test_lines_in_review_are_listed_oldest_first_and_page_by_page(
    ordering: OrderingClient,
) -> None:
    """Given orders with a remark, one of which has a line that is approved; then the others are listed."""
    both = await placed(ordering, LINDE, METFORMINE, OMEPRAZOL)
    remarked = [await placed(ordering, LINDE, METFORMINE, remark="Graag bellen") for _ in range(3)]
    expected = [(str(both.order_id), 2), *((str(order.order_id), 1) for order in remarked)]
    found: list[tuple[str, int]] = []
    after: dict[str, Any] = {}
    for size in (2, 2, 0):
        page = (await ordering.get(f"/practices/{LINDE}/reviews", limit=2, **after)).json()
        assert (len(page["reviews"]), page["total"]) == (size, 4)
        found += [(each["order_id"], each["line"]) for each in page["reviews"]]
        after = {"after": page["next"]}
    assert after == {"after": None}
    assert found == expected


async def test_a_line_in_review_says_what_its_order_says(ordering: OrderingClient) -> None:
    medicine = (OMEPRAZOL[0], "Pantoprazol 40 mg")
    order = await placed(ordering, HEIDE, medicine, remark="Graag bellen", quantity=30)
    page = (await ordering.get(f"/practices/{HEIDE}/reviews")).json()
    (line,) = page["reviews"]
    reasons = [reason["code"] for reason in line.pop("reasons")]
    assert reasons == ["NAME_CONTRADICTS_CODE", "HIGH_RISK_MEDICATION", "REMARK_NEEDS_READING"]
    shown = (await ordering.get(f"/orders/{order.order_id}")).json()
    assert line == {
        "order_id": str(order.order_id),
        "line": 1,
        "patient": order.patient,
        "prk": OMEPRAZOL[0],
        "medicine": OMEPRAZOL[1],
        "quantity": 30,
        "unit": "stuk",
        "dosage": "1x daags 1",
        "ordered_as": "Pantoprazol 40 mg",
        "remark": "Graag bellen",
        "supply_until": None,
        "placed_at": shown["placed_at"],
        "placed_by": shown["placed_by"],
        "channel": "portal",
        "pharmacy": PHARMACY,
    }
    await ordering.cancel(order, wait=WAIT_S)
    page = (await ordering.get(f"/practices/{HEIDE}/reviews")).json()
    assert page == {"reviews": [], "next": None, "total": 0}


@pytest.mark.parametrize(
    "cursor", ["x", "1-2-3", "9" * 18 + "-0192aaaa-0000-7000-8000-000000000001-1"]
)
async def test_a_cursor_of_another_form_is_refused(ordering: OrderingClient, cursor: str) -> None:
    assert is_problem(await ordering.get(f"/practices/{LINDE}/reviews", after=cursor), 422)


async def test_whose_lines_were_listed_is_in_their_audit_trail(ordering: OrderingClient) -> None:
    practice = practice_code(933)
    order = await placed(ordering, practice, OMEPRAZOL)
    token = ordering.stack.token(Party.ASSISTANT, practice=practice, sub="assistant-9")
    headers = {"authorization": f"Bearer {token}"}
    listed = await ordering.http.get(
        ordering.url(f"/practices/{practice}/reviews"), headers=headers
    )
    assert listed.json()["total"] == 1
    trail = await ordering.http.get(
        ordering.url(f"/patients/{order.patient}/audit"), headers=headers
    )
    seen = [(e["action"], e["actor"], e["thing"]) for e in trail.json()["entries"]]
    assert ("reviews.read", "assistant-9", practice) in seen
