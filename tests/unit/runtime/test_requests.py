"""Reading requests and answering errors: always problem+json, without traceback or request content."""

import json
from collections.abc import AsyncIterator
from typing import Annotated, Any

import asyncpg
import httpx
import pytest
from aiokafka.errors import KafkaConnectionError
from fastapi import Depends, FastAPI

from runtime.errors import KafkaUnavailable, NotReady
from runtime.http import problems
from runtime.http.problems import Problem
from runtime.http.requests import PreferWait, Traceparent, json_body, max_body_bytes
from schemas.records.orders import OrderPlace
from tests.harness.made import an_order, as_json

SECRET = "pat_secret99"
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
GOOD = as_json(an_order("pat_anna0001"))
MOST = max_body_bytes(OrderPlace)

RAISES: dict[str, Exception] = {
    "bug": ValueError(SECRET),
    "away": ConnectionRefusedError(SECRET),
    "busy": asyncpg.TooManyConnectionsError(SECRET),
    "broker": KafkaConnectionError(SECRET),
    "closed": asyncpg.InterfaceError(SECRET),
    "cut": asyncpg.InternalClientError(SECRET),
    "not-ready": NotReady(SECRET),
    "no-kafka": KafkaUnavailable(SECRET),
    "wrong-sql": asyncpg.UndefinedTableError(SECRET),
    "problem": Problem(409, "order-conflict", "Another order."),
}


def app() -> FastAPI:
    """Make an app as every service does, with routes that read or raise."""
    made = FastAPI(docs_url=None, redoc_url=None)
    problems.install(made)

    @made.post("/orders")
    async def place(order: Annotated[OrderPlace, Depends(json_body(OrderPlace))]) -> int:
        return len(order.lines)

    @made.get("/read/{number}")
    async def read(number: int, wait_s: PreferWait, traceparent: Traceparent) -> dict[str, Any]:
        return {"wait": wait_s, "traceparent": traceparent}

    @made.get("/raise/{what}")
    async def fail(what: str) -> None:
        raise RAISES[what]

    return made


@pytest.fixture(scope="module")
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """A client of the app. Errors become responses, as on a server."""
    transport = httpx.ASGITransport(app(), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as made:
        yield made


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Check that the response is this problem; returns its body."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert (body["status"], body["type"]) == (status, f"urn:herhaal:problem:{code}")
    assert body["title"]
    assert body["detail"]
    assert SECRET not in answer.text
    assert "Traceback" not in answer.text
    return body


async def test_a_good_body_is_read(client: httpx.AsyncClient) -> None:
    answer = await client.post("/orders", json=GOOD)
    assert (answer.status_code, answer.json()) == (200, 1)


async def test_a_charset_after_the_media_type_is_accepted(client: httpx.AsyncClient) -> None:
    headers = {"content-type": "Application/JSON; charset=utf-8"}
    answer = await client.post("/orders", content=json.dumps(GOOD), headers=headers)
    assert answer.status_code == 200


@pytest.mark.parametrize("media_type", ["text/plain", "application/xml", "application/jsonx", ""])
async def test_another_media_type_is_415(client: httpx.AsyncClient, media_type: str) -> None:
    headers = {"content-type": media_type}
    answer = await client.post("/orders", content=json.dumps(GOOD), headers=headers)
    problem(answer, 415, "unsupported-media-type")


async def test_a_content_length_above_the_limit_is_413(client: httpx.AsyncClient) -> None:
    headers = {"content-type": "application/json"}
    content = b" " * (MOST + 1)
    body = problem(
        await client.post("/orders", content=content, headers=headers),
        413,
        "too-large",
    )
    assert f"{MOST // 1024} KB" in body["detail"]


async def test_a_chunked_body_above_the_limit_is_413(client: httpx.AsyncClient) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(MOST // 1024 + 1):
            yield b" " * 1024

    headers = {"content-type": "application/json"}
    answer = await client.post("/orders", content=chunks(), headers=headers)
    assert "content-length" not in answer.request.headers
    problem(answer, 413, "too-large")


async def test_a_body_of_exactly_the_limit_is_read(client: httpx.AsyncClient) -> None:
    text = json.dumps(GOOD)
    content = text + " " * (MOST - len(text))
    answer = await client.post(
        "/orders", content=content, headers={"content-type": "application/json"}
    )
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"patient": SECRET + "\u0000"}, "patient"),
        ({"order_id": SECRET}, "order_id"),
        ({"channel": SECRET}, "channel"),
        ({"practice": SECRET}, "practice"),
        ({"supply_until": SECRET}, "supply_until"),
        ({"placed_by": {"role": SECRET, "id": "x"}}, "placed_by.role"),
        ({"placed_by": SECRET}, "placed_by"),
        ({"lines": []}, "lines"),
        ({"lines": [{**GOOD["lines"][0], "quantity": SECRET}]}, "lines.0.quantity"),
        ({"lines": [{**GOOD["lines"][0], "quantity": "90"}]}, "lines.0.quantity"),
        ({"lines": [GOOD["lines"][0], GOOD["lines"][0]]}, "body"),
        ({"remark": SECRET * 1000}, "remark"),
    ],
)
async def test_an_invalid_field_is_422_with_name_and_reason_and_without_value(
    client: httpx.AsyncClient, changes: dict[str, Any], field: str
) -> None:
    answer = await client.post("/orders", json=GOOD | changes)
    error = problem(answer, 422, "invalid")["errors"][0]
    assert error["field"] == field
    assert error["reason"]


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff\xfe", b"null", b"[]", b'"x"', b"{} {}", b"[" * 10_000]
)
async def test_a_body_that_is_not_an_order_is_422(
    client: httpx.AsyncClient, content: bytes
) -> None:
    headers = {"content-type": "application/json"}
    answer = await client.post("/orders", content=content, headers=headers)
    assert problem(answer, 422, "invalid")["errors"]


async def test_every_missing_field_is_named(client: httpx.AsyncClient) -> None:
    answer = await client.post("/orders", json={})
    fields = {e["field"] for e in problem(answer, 422, "invalid")["errors"]}
    assert fields >= {"order_id", "patient", "practice", "pharmacy", "lines"}


async def test_an_invalid_path_parameter_is_422_with_its_name(client: httpx.AsyncClient) -> None:
    (error,) = problem(await client.get(f"/read/{SECRET}"), 422, "invalid")["errors"]
    assert error["field"] == "number"


async def test_an_unknown_path_is_404(client: httpx.AsyncClient) -> None:
    problem(await client.get(f"/{SECRET}"), 404, "not-found")


async def test_a_wrong_method_is_405_with_the_allowed_methods(client: httpx.AsyncClient) -> None:
    answer = await client.delete("/orders")
    problem(answer, 405, "method-not-allowed")
    assert answer.headers["allow"] == "POST"


@pytest.mark.parametrize("what", ["bug", "wrong-sql"])
async def test_a_bug_is_500_without_details(client: httpx.AsyncClient, what: str) -> None:
    problem(await client.get(f"/raise/{what}"), 500, "internal")


@pytest.mark.parametrize("what", ["away", "busy", "broker", "closed", "cut"])
async def test_an_unavailable_server_is_503_with_retry_after(
    client: httpx.AsyncClient, what: str
) -> None:
    answer = await client.get(f"/raise/{what}")
    problem(answer, 503, "unavailable")
    assert answer.headers["retry-after"] == "2"


@pytest.mark.parametrize(
    ("what", "detail"),
    [
        ("not-ready", "The database is not reachable yet."),
        ("no-kafka", "Kafka does not answer; please try again."),
    ],
)
async def test_an_unavailable_error_of_the_runtime_is_503_with_what_is_unavailable(
    client: httpx.AsyncClient, what: str, detail: str
) -> None:
    answer = await client.get(f"/raise/{what}")
    assert problem(answer, 503, "unavailable")["detail"] == detail
    assert answer.headers["retry-after"] == "2"


@pytest.mark.parametrize("what", sorted(RAISES.keys() - {"bug"}))
async def test_only_a_bug_is_raised_to_the_server_which_logs_it(what: str) -> None:
    transport = httpx.ASGITransport(app(), raise_app_exceptions=True)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        assert (await client.get(f"/raise/{what}")).status_code >= 409
        with pytest.raises(ValueError, match=SECRET):
            await client.get("/raise/bug")


async def test_a_raised_problem_is_the_answer(client: httpx.AsyncClient) -> None:
    assert problem(await client.get("/raise/problem"), 409, "order-conflict")["detail"]


@pytest.mark.parametrize(
    ("prefer", "seconds"),
    [
        ("wait=5", 5),
        ("respond-async, wait=10", 10),
        ("respond-async; wait = 7", 7),
        ("wait=3, respond-async", 3),
        ("Wait=4", 4),
        ("wait=600", 30),
        ("wait=0", 0),
        ("wait", 0),
        ("wait=", 0),
        ("wait=soon", 0),
        ("wait=-5", 0),
        ("wait=1.5", 0),
        ("wait=99999999999999999999", 0),
        ("await=5", 0),
        ("=;,wait==5", 0),
        ("", 0),
    ],
)
async def test_prefer_wait_is_in_seconds_and_an_invalid_value_is_ignored(
    client: httpx.AsyncClient, prefer: str, seconds: float
) -> None:
    answer = await client.get("/read/1", headers={"prefer": prefer})
    assert answer.json()["wait"] == seconds


async def test_without_prefer_the_wait_is_0(client: httpx.AsyncClient) -> None:
    assert (await client.get("/read/1")).json()["wait"] == 0


async def test_a_traceparent_is_read(client: httpx.AsyncClient) -> None:
    answer = await client.get("/read/1", headers={"traceparent": TRACE})
    assert answer.json()["traceparent"] == TRACE


@pytest.mark.parametrize("header", ["", "rubbish", TRACE.upper(), TRACE + "-x", "01" + TRACE[2:]])
async def test_an_invalid_traceparent_is_ignored(client: httpx.AsyncClient, header: str) -> None:
    answer = await client.get("/read/1", headers={"traceparent": header})
    assert answer.json()["traceparent"] is None
