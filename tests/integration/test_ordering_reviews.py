"""A practice's lines in review on the running stack: listed page by page, and decided by one person."""

import asyncio
from typing import Any

import httpx
import pytest

from deploy.local import LocalStack
from samples.codes import practice_code
from schemas import topics
from schemas.access import Party
from schemas.records.medication import Status
from schemas.records.orders import OrderPlace
from schemas.records.prescriptions import PrescriptionApproved
from tests.harness.kafka import eventually, records_of, send, sent
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
LINDE, HEIDE, DECIDING = practice_code(931), practice_code(932), practice_code(934)


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
        "reviewer": "gp",
        "signals": [],
    }
    await ordering.cancel(order, wait=WAIT_S)
    page = (await ordering.get(f"/practices/{HEIDE}/reviews")).json()
    assert page == {"reviews": [], "signalled": [], "next": None, "total": 0}


async def test_a_reviewers_own_lines_are_listed_and_counted_alone(ordering: OrderingClient) -> None:
    """Given a line for the GP and one for the assistant; then each is listed for the one who decides it."""
    practice = practice_code(935)
    gp = await placed(ordering, practice, OMEPRAZOL)
    assistant = await placed(ordering, practice, METFORMINE, remark="Graag bellen")
    for reviewer, orders in (("gp", [gp]), ("assistant", [assistant]), ("pharmacy", [])):
        page = (await ordering.get(f"/practices/{practice}/reviews", reviewer=reviewer)).json()
        found = [each["order_id"] for each in page["reviews"]]
        assert (found, page["total"]) == ([str(each.order_id) for each in orders], len(orders))
    assert is_problem(await ordering.get(f"/practices/{practice}/reviews", reviewer="x"), 422)


async def test_an_approved_line_that_was_stopped_since_is_on_the_first_page_until_it_is_decided(
    ordering: OrderingClient,
) -> None:
    practice = practice_code(936)
    order = await placed(ordering, practice, METFORMINE)
    stopped = an_import(order.patient, entry(METFORMINE, Status.STOPPED), practice=practice)
    await send(ordering.stack.kafka, [sent(topics.MEDICATION_CHANGES.name, stopped)])

    async def signalled(**page: Any) -> list[dict[str, Any]]:
        answer = await ordering.get(f"/practices/{practice}/reviews", **page)
        found: list[dict[str, Any]] = answer.json()["signalled"]
        return found

    (line,) = await eventually(signalled, bool)
    shown = (await ordering.get(f"/orders/{order.order_id}")).json()
    assert (line["order_id"], line["signal"]) == (str(order.order_id), "stopped")
    assert (line["approved_at"], line["patient"]) == (shown["placed_at"], order.patient)
    assert await signalled(after=f"1-{order.order_id}-1") == []
    answer = await ordering.http.put(
        ordering.url(f"/orders/{order.order_id}/lines/1/review"),
        json={"outcome": "refused", "explanation": "Gestopt."},
        headers={
            "authorization": f"Bearer {ordering.stack.token(Party.GP, practice=practice)}",
            "prefer": f"wait={WAIT_S}",
        },
    )
    assert (answer.status_code, answer.json()["lines"][0]["outcome"]) == (200, "refused")
    assert await signalled() == []


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


def _by(ordering: OrderingClient, sub: str, role: Party = Party.GP) -> dict[str, str]:
    """The header of somebody of a practice whose lines are decided."""
    token = ordering.stack.token(role, practice=DECIDING, sub=sub)
    return {"authorization": f"Bearer {token}"}


async def _decide(
    ordering: OrderingClient, order: OrderPlace, sub: str, wait: int = WAIT_S, **body: Any
) -> httpx.Response:
    url = ordering.url(f"/orders/{order.order_id}/lines/1/review")
    preference = {"prefer": f"wait={wait}"} if wait else {}
    return await ordering.http.put(url, json=body, headers=_by(ordering, sub) | preference)


async def test_an_approval_with_another_quantity_goes_to_the_pharmacy(
    ordering: OrderingClient,
) -> None:
    order = await placed(ordering, DECIDING, OMEPRAZOL)
    answer = await _decide(ordering, order, "gp-1", outcome="approved", quantity=30)
    assert (answer.status_code, answer.headers["preference-applied"]) == (200, "wait")
    (line,) = answer.json()["lines"]
    assert (line["outcome"], line["quantity"]) == ("approved", 30)
    assert line["decided_by"] == {"role": "gp", "id": "gp-1"}
    feed = topics.prescriptions(PHARMACY).name
    (record,) = await records_of(ordering.stack.kafka, feed, [order.patient], at_least=1)
    assert PrescriptionApproved.model_validate_json(record.value).quantity == 30
    again = await _decide(ordering, order, "gp-1", outcome="approved", quantity=30)
    assert (again.status_code, again.json()) == (200, answer.json())


async def test_a_refusal_says_why_to_the_patient(ordering: OrderingClient) -> None:
    order = await placed(ordering, DECIDING, OMEPRAZOL)
    why = "Eerst bloed prikken."
    answer = await _decide(ordering, order, "gp-1", 0, outcome="refused", explanation=why)
    assert (answer.status_code, answer.json()["state"]) == (202, "received")
    shown = await eventually(
        lambda: ordering.get(f"/orders/{order.order_id}"),
        lambda found: found.json()["state"] == "refused",
    )
    assert shown.json()["lines"][0]["explanation"] == why


@pytest.mark.parametrize("others", ["approved", "refused"])
async def test_of_two_who_decide_at_once_the_slower_is_told_of_the_other(
    ordering: OrderingClient, others: str
) -> None:
    """Given two people whose decisions are both sent before either is carried out."""
    order = await placed(ordering, DECIDING, OMEPRAZOL)
    async with ordering.nobody_saves_orders():
        decisions = [
            asyncio.create_task(_decide(ordering, order, "gp-1", outcome="approved")),
            asyncio.create_task(
                _decide(ordering, order, "gp-2", outcome=others, explanation="Eerst controle.")
            ),
        ]
        reviews = topics.ORDERS_REVIEWS.name
        await records_of(ordering.stack.kafka, reviews, [order.patient], at_least=2)
    answers = sorted(await asyncio.gather(*decisions), key=lambda answer: answer.status_code)
    assert [answer.status_code for answer in answers] == [200, 409]
    winner, slower = answers
    decided = winner.json()["lines"][0]
    assert slower.json()["type"] == "urn:herhaal:problem:not-in-review"
    assert slower.json()["detail"].startswith(f"A GP {decided['outcome']} this line on ")


async def test_a_line_of_another_practice_cannot_be_decided(ordering: OrderingClient) -> None:
    order = await placed(ordering, LINDE, OMEPRAZOL)
    assert is_problem(await _decide(ordering, order, "gp-1", outcome="approved"), 404)
    await ordering.cancel(order, wait=WAIT_S)
