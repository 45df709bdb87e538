"""Ordering's API on the running stack: place, look up and cancel orders."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from deploy.local import LocalStack
from schemas import topics
from schemas.base import PlacedBy, Role
from schemas.records.medication import Status
from schemas.records.orders import OrderCancelled, OrderDecided, OrderPlace, OrderReview, Outcome
from schemas.records.prescriptions import PrescriptionWithdrawn
from schemas.times import local_date
from tests.harness.kafka import eventually, header, records_of, send, sent
from tests.harness.made import (
    AMOXICILLINE,
    GP,
    METFORMINE,
    OMEPRAZOL,
    PHARMACY,
    a_patient,
    an_order,
    as_json,
    entry,
)
from tests.integration.ordering_api import OrderingClient, is_problem

TRACE = "0af7651916cd43dd8448eb211c80319c"
WAIT_S = 20


@pytest.fixture
def ordering(stack: LocalStack, http: httpx.AsyncClient) -> OrderingClient:
    return OrderingClient(stack, http)


async def test_an_order_is_accepted_with_its_location(ordering: OrderingClient) -> None:
    order = an_order(a_patient())
    answer = await ordering.place(order)
    assert answer.status_code == 202
    assert answer.json() == {
        "order_id": str(order.order_id),
        "state": "received",
        "received_at": None,
    }
    assert answer.headers["location"] == f"/orders/{order.order_id}"


async def test_a_client_that_waits_gets_the_decision(ordering: OrderingClient) -> None:
    known = (entry(METFORMINE), entry(AMOXICILLINE, Status.TEMPORARY))
    order = an_order(await ordering.patient(*known), METFORMINE, AMOXICILLINE, OMEPRAZOL)
    answer = await ordering.place(order, wait=WAIT_S)
    assert answer.status_code == 200
    assert answer.headers["preference-applied"] == "wait"
    body = answer.json()
    assert body["state"] == "partly_approved"
    assert [(n["outcome"], [r["code"] for r in n["reasons"]]) for n in body["lines"]] == [
        ("approved", []),
        ("refused", ["TEMPORARY_MEDICATION"]),
        ("e_consult", ["NOT_IN_OVERVIEW"]),
    ]


async def test_an_order_can_be_asked_for_right_after_it_was_accepted(
    ordering: OrderingClient,
) -> None:
    patient = await ordering.patient()

    async def place_and_ask() -> int:
        order = an_order(patient)
        location = (await ordering.place(order)).headers["location"]
        return (await ordering.get(location)).status_code

    assert set(await asyncio.gather(*(place_and_ask() for _ in range(100)))) == {200}


async def test_the_decision_can_be_asked_for_later(ordering: OrderingClient) -> None:
    order = an_order(await ordering.patient(), remark="graag voor vrijdag")
    decided = (await ordering.place(order, wait=WAIT_S)).json()
    assert (await ordering.get(f"/orders/{order.order_id}")).json() == decided
    assert decided["state"] == "in_review"


async def test_an_order_is_shown_with_all_that_is_known_of_it(ordering: OrderingClient) -> None:
    """Given an assistant's order, a line that a GP refuses, and a cancellation; then who did what is shown."""
    patient = await ordering.patient(
        entry(METFORMINE, dosage="2x daags 1"), entry(OMEPRAZOL, high_risk=True)
    )
    by = PlacedBy(role=Role.ASSISTANT, id="assistant-7")
    order = an_order(patient, METFORMINE, OMEPRAZOL, placed_by=by)
    await ordering.place(order, wait=WAIT_S)
    refusal = OrderReview(
        order_id=order.order_id,
        patient=patient,
        line=2,
        outcome=Outcome.REFUSED,
        decided_by=GP,
        explanation="Eerst\ncontrole.",
    )
    await send(ordering.stack.kafka, [sent(topics.ORDERS_REVIEWS.name, refusal)])
    path = f"/orders/{order.order_id}"

    async def shown() -> dict[str, Any]:
        body: dict[str, Any] = (await ordering.get(path)).json()
        return body

    body = await eventually(shown, lambda found: found["state"] == "partly_approved")
    assert body["placed_by"] == {"role": "assistant", "id": "assistant-7"}
    first, second = body["lines"]
    assert (first["dosage"], first["unit"], first["decided_by"]) == ("2x daags 1", "stuk", None)
    assert (second["decided_by"], second["explanation"]) == (GP.model_dump(), "Eerst\ncontrole.")
    assert body["cancellation"] is None
    cancel = {"cancelled_by": {"role": "pharmacy", "id": PHARMACY}, "reason": "niet leverbaar"}
    await ordering.post(f"{path}/cancel", cancel, wait=WAIT_S)
    cancelled = (await ordering.get(path)).json()["cancellation"]
    assert (cancelled["cancelled_by"], cancelled["reason"]) == (*cancel.values(),)
    assert cancelled["cancelled_at"]


async def test_an_order_for_a_period_that_is_over_is_refused_at_once(
    ordering: OrderingClient,
) -> None:
    yesterday = local_date(datetime.now(UTC)) - timedelta(days=1)
    answer = await ordering.place(an_order(await ordering.patient(), supply_until=yesterday))
    assert is_problem(answer, 422)
    assert answer.json()["errors"] == [{"field": "supply_until", "reason": "lies in the past"}]


async def test_a_wrong_line_is_one_error(ordering: OrderingClient) -> None:
    body = as_json(an_order(await ordering.patient()))
    body["lines"][0]["quantity"] = -1
    answer = await ordering.post("/orders", body)
    assert [error["field"] for error in answer.json()["errors"]] == ["lines.0.quantity"]


async def test_an_unknown_order_is_404(ordering: OrderingClient) -> None:
    assert is_problem(await ordering.get(f"/orders/{uuid4()}"), 404)


@pytest.mark.parametrize("decided_first", [True, False])
async def test_the_same_order_again_answers_the_same_and_is_decided_once(
    ordering: OrderingClient, decided_first: bool
) -> None:
    order = an_order(await ordering.patient())
    await ordering.place(order, wait=WAIT_S if decided_first else 0)
    again = [await ordering.place(order, wait=WAIT_S) for _ in range(3)]
    assert [(a.status_code, a.json()["state"]) for a in again] == [(200, "approved")] * 3
    events = await _events(ordering, order, 1)
    assert len(events) == 1


async def test_a_hundred_times_the_same_order_at_once_is_one_order(
    ordering: OrderingClient,
) -> None:
    order = an_order(await ordering.patient())
    answers = await asyncio.gather(*(ordering.place(order) for _ in range(100)))
    assert {a.status_code for a in answers} == {202}
    await ordering.place(order, wait=WAIT_S)
    # A later order of the same patient: when it is decided, all repeats are handled.
    await ordering.place(an_order(order.patient), wait=WAIT_S)
    assert len(await _events(ordering, order, 1)) == 1


@pytest.mark.parametrize("wait", [0, WAIT_S])
async def test_another_order_under_the_same_id_is_a_conflict(
    ordering: OrderingClient, wait: int
) -> None:
    order = an_order(await ordering.patient())
    await ordering.place(order, wait=wait)
    other = an_order(order.patient, order_id=order.order_id, quantity=30)
    assert is_problem(await ordering.place(other), 409)
    assert (await ordering.place(order, wait=WAIT_S)).json()["lines"][0]["quantity"] == 90


async def test_a_client_that_waits_is_not_answered_with_another_patients_order(
    ordering: OrderingClient,
) -> None:
    """Given an earlier order of another patient with the same id, not saved yet; then the answer is 409."""
    kafka, requests = ordering.stack.kafka, topics.ORDERS_REQUESTS.name
    first = an_order(await ordering.patient())
    second = an_order(await ordering.patient(), order_id=first.order_id)
    async with ordering.nobody_saves_orders() as saving:
        await send(kafka, [sent(requests, first)])
        await eventually(saving, lambda workers: workers == 1)
        answering = asyncio.create_task(ordering.place(second, wait=WAIT_S))
        await records_of(kafka, requests, [second.patient], at_least=1)
    assert is_problem(await answering, 409)
    assert (await ordering.place(first, wait=WAIT_S)).json()["patient"] == first.patient


async def test_nothing_is_kept_of_repeats_and_conflicts(ordering: OrderingClient) -> None:
    order = an_order(await ordering.patient())
    await ordering.place(order, wait=WAIT_S)
    await ordering.place(order)
    await ordering.place(an_order(order.patient, order_id=order.order_id, quantity=30))
    assert await ordering.count("intake", "order_id", order.order_id) == 0


async def test_a_patients_orders_are_shown_newest_first(ordering: OrderingClient) -> None:
    patient = await ordering.patient()
    orders = [an_order(patient) for _ in range(3)]
    for order in orders:
        await ordering.place(order, wait=WAIT_S)
    newest_first = [str(o.order_id) for o in reversed(orders)]
    path = f"/patients/{patient}/orders"
    assert [o["order_id"] for o in (await ordering.get(path)).json()["orders"]] == newest_first
    (only,) = (await ordering.get(path, limit=1)).json()["orders"]
    assert only["order_id"] == newest_first[0]


async def test_a_patient_without_orders_has_an_empty_list(ordering: OrderingClient) -> None:
    assert (await ordering.get(f"/patients/{a_patient()}/orders")).json() == {"orders": []}


async def test_a_cancelled_order_is_withdrawn_at_its_pharmacy(ordering: OrderingClient) -> None:
    order = an_order(await ordering.patient())
    await ordering.place(order, wait=WAIT_S)
    answer = await ordering.cancel(order)
    assert answer.status_code == 202
    assert answer.headers["location"] == f"/orders/{order.order_id}"
    decided, cancelled = await _events(ordering, order, 2)
    assert isinstance(decided, OrderDecided)
    assert isinstance(cancelled, OrderCancelled)
    records = await records_of(ordering.stack.kafka, _topic(), [order.patient], at_least=2)
    withdrawn = PrescriptionWithdrawn.model_validate_json(records[1].value)
    assert withdrawn.order_id == order.order_id
    assert (await ordering.get(f"/orders/{order.order_id}")).json()["state"] == "cancelled"


async def test_a_client_that_waits_for_a_cancellation_sees_it_done(
    ordering: OrderingClient,
) -> None:
    order = an_order(await ordering.patient())
    await ordering.place(order, wait=WAIT_S)
    for _ in range(2):
        answer = await ordering.cancel(order, wait=WAIT_S)
        assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")


async def test_waiting_for_a_cancellation_that_has_nothing_to_take_back_ends_at_once(
    ordering: OrderingClient,
) -> None:
    order = an_order(await ordering.patient(), OMEPRAZOL)
    await ordering.place(order, wait=WAIT_S)
    async with asyncio.timeout(5):
        answer = await ordering.cancel(order, wait=WAIT_S)
    assert (answer.status_code, answer.json()["state"]) == (200, "refused")


async def test_an_order_can_be_cancelled_before_it_is_decided(ordering: OrderingClient) -> None:
    order = an_order(await ordering.patient())
    assert [(await ordering.place(order)).status_code] == [202]
    assert (await ordering.cancel(order)).status_code == 202
    await eventually(
        lambda: ordering.get(f"/orders/{order.order_id}"),
        lambda answer: answer.json()["state"] == "cancelled",
    )


async def test_an_unknown_order_cannot_be_cancelled(ordering: OrderingClient) -> None:
    assert is_problem(await ordering.cancel(an_order(a_patient())), 404)


async def test_a_clients_trace_is_that_of_all_that_follows(ordering: OrderingClient) -> None:
    order = an_order(await ordering.patient())
    await ordering.place(order, wait=WAIT_S, traceparent=f"00-{TRACE}-b7ad6b7169203331-01")
    kafka = ordering.stack.kafka
    for topic in (topics.ORDERS_REQUESTS.name, topics.ORDERS_EVENTS.name, _topic()):
        (record,) = await records_of(kafka, topic, [order.patient], at_least=1)
        assert (header(record, "traceparent") or "").split("-")[1] == TRACE


async def _events(
    ordering: OrderingClient, order: OrderPlace, at_least: int
) -> list[OrderDecided | OrderCancelled]:
    types: dict[str | None, type[OrderDecided | OrderCancelled]] = {
        body.ce_type(): body for body in (OrderDecided, OrderCancelled)
    }
    topic = topics.ORDERS_EVENTS.name
    records = await records_of(ordering.stack.kafka, topic, [order.patient], at_least)
    events = [types[header(r, "ce_type")].model_validate_json(r.value) for r in records]
    return [event for event in events if event.order_id == order.order_id]


def _topic() -> str:
    return topics.prescriptions(PHARMACY).name
