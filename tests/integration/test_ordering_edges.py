"""Edge cases of ordering's API: invalid requests, health, metrics, API documents, logs without patient data."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi.openapi.models import OpenAPI

from deploy.local import LocalStack
from runtime.http.requests import max_body_bytes
from schemas.records.orders import OrderPlace
from tests.harness.made import a_patient, an_order, as_json
from tests.integration.ordering_api import OrderingClient, is_problem

SECRET = "pat_geheim99"
METRICS = (
    "herhaal_consumer_lag_records",
    "herhaal_batch_records",
    "herhaal_decide_seconds",
    "herhaal_transaction_seconds",
    "herhaal_outbox_age_seconds",
    "herhaal_dead_letters_total",
    "herhaal_last_progress_timestamp_seconds",
)


@pytest.fixture
def ordering(stack: LocalStack, http: httpx.AsyncClient) -> OrderingClient:
    return OrderingClient(stack, http)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"patient": f"{SECRET} met een naam"}, "patient"),
        ({"practice": "02999001"}, "practice"),
        ({"pharmacy": "03999001"}, "pharmacy"),
        ({"channel": SECRET}, "channel"),
        ({"lines": []}, "lines"),
        ({"remark": f"{SECRET}\u0000"}, "remark"),
        ({"supply_until": "volgend jaar"}, "supply_until"),
    ],
)
async def test_a_wrong_field_is_422_with_its_name_and_without_its_value(
    ordering: OrderingClient, changes: dict[str, Any], field: str
) -> None:
    answer = await ordering.post("/orders", as_json(an_order(a_patient())) | changes)
    assert is_problem(answer, 422)
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert SECRET not in answer.text


@pytest.mark.parametrize("content", ["", "{", "[]", "null", "{}", '{"lines": [[[[]]]]}'])
async def test_what_is_no_order_is_422(ordering: OrderingClient, content: str) -> None:
    headers = {"content-type": "application/json"}
    answer = await ordering.http.post(ordering.url("/orders"), content=content, headers=headers)
    assert is_problem(answer, 422)


async def test_another_media_type_is_415(ordering: OrderingClient) -> None:
    answer = await ordering.http.post(ordering.url("/orders"), data={"order_id": "x"})
    assert is_problem(answer, 415)


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_over_the_limit_is_413(ordering: OrderingClient, chunked: bool) -> None:
    most = max_body_bytes(OrderPlace)

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(most // 1024 + 1):
            yield b" " * 1024

    answer = await ordering.http.post(
        ordering.url("/orders"),
        content=chunks() if chunked else b" " * (most + 1),
        headers={"content-type": "application/json"},
    )
    assert is_problem(answer, 413)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/orders/geen-uuid", 422),
        ("/orders/%00", 422),
        ("/patients/piet/orders", 422),
        ("/patients/pat_piet0001/orders?limit=0", 422),
        ("/nergens", 404),
        ("/orders", 405),
    ],
)
async def test_a_wrong_path_is_a_problem(ordering: OrderingClient, path: str, status: int) -> None:
    assert is_problem(await ordering.http.get(ordering.url(path)), status)


async def test_a_cancellation_without_who_is_422(ordering: OrderingClient) -> None:
    order = an_order(a_patient())
    await ordering.place(order)
    answer = await ordering.post(f"/orders/{order.order_id}/cancel", {})
    assert is_problem(answer, 422)
    assert answer.json()["errors"][0]["field"] == "cancelled_by"


async def test_it_is_alive_and_ready(ordering: OrderingClient) -> None:
    assert (await ordering.get("/livez")).status_code == 200
    ready = await ordering.get("/readyz")
    assert (ready.status_code, ready.json()) == (200, {"ready": True, "problems": []})


async def test_prometheus_finds_every_metric_of_the_loop(ordering: OrderingClient) -> None:
    bad = as_json(an_order(a_patient()))
    await ordering.post("/orders", bad, wait=20)
    text = (await ordering.get("/metrics")).text
    assert [name for name in METRICS if f"# TYPE {name.removesuffix('_total')}" not in text] == []
    assert "pat_" not in text


async def test_its_openapi_document_is_valid_and_complete(ordering: OrderingClient) -> None:
    document = (await ordering.get("/openapi.json")).json()
    OpenAPI.model_validate(document)
    assert document["paths"].keys() >= {
        "/orders",
        "/orders/{order_id}",
        "/orders/{order_id}/cancel",
        "/patients/{patient}/orders",
        "/pharmacies/{agb}/prescriptions",
    }
    assert [ref for ref in _refs(document) if not _resolves(document, ref)] == []


async def test_its_asyncapi_document_names_its_channels(ordering: OrderingClient) -> None:
    document = (await ordering.get("/asyncapi.json")).json()
    assert document["asyncapi"].startswith("3.")
    assert {"orders.requests", "orders.events"} <= document["channels"].keys()
    assert [ref for ref in _refs(document) if not _resolves(document, ref)] == []


async def test_nothing_about_a_patient_is_in_its_log(ordering: OrderingClient) -> None:
    patient = await ordering.patient()
    order = an_order(patient, remark="geheime opmerking")
    await ordering.place(order, wait=20)
    await ordering.cancel(order, wait=20)
    await ordering.post("/orders", as_json(order) | {"remark": "\u0000geheim"})
    await ordering.get(f"/patients/{patient}/orders")
    text = (ordering.stack.data.logs / "ordering.log").read_text()
    assert text
    told = [word for word in ("pat_", "geheim", "Metformine", "5487,") if word in text]
    assert told == []


async def test_every_line_of_its_log_is_json(ordering: OrderingClient) -> None:
    lines = (ordering.stack.data.logs / "ordering.log").read_text().splitlines()
    assert {json.loads(line)["service"] for line in lines if line} == {"ordering"}


def _refs(node: Any) -> list[str]:
    if isinstance(node, list):
        return [ref for item in node for ref in _refs(item)]
    if isinstance(node, dict):
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return own + [ref for item in node.values() for ref in _refs(item)]
    return []


def _resolves(document: Any, ref: str) -> bool:
    found = document
    for step in ref.removeprefix("#/").split("/"):
        key = step.replace("~1", "/").replace("~0", "~")
        if not isinstance(found, dict) or key not in found:
            return False
        found = found[key]
    return True
