"""Endpoints that are answered ahead of FastAPI answer exactly as behind it."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Response
from starlette.types import ASGIApp, Message, Scope

from runtime import problems
from runtime.direct import Direct, Routes
from runtime.problems import Problem
from runtime.requests import MAX_BODY_BYTES, Asked, BodyLimit
from runtime.responses import json_response
from schemas.orders import OrderPlace
from tests.harness.made import an_order, as_json

SECRET = "pat_secret99"
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
GOOD = json.dumps(as_json(an_order("pat_anna0001"))).encode()
JSON = {"content-type": "application/json"}

RAISES: dict[str, Exception] = {
    "bug": ValueError(SECRET),
    "away": ConnectionRefusedError(SECRET),
    "conflict": Problem(409, "order-conflict", "Another order."),
}


async def place(asked: Asked) -> Response:
    """What it was asked, or what the remark says to raise."""
    order = asked.json(OrderPlace)
    if order.remark in RAISES:
        raise RAISES[order.remark]
    told = f"{order.order_id} {asked.wait_s} {asked.traceparent}"
    return json_response(order, 202, {"Location": f"/orders/{order.order_id}", "X-Told": told})


def apps() -> tuple[ASGIApp, ASGIApp]:
    """An app with one endpoint, answered by FastAPI alone and ahead of it."""
    behind = FastAPI(docs_url=None, redoc_url=None)
    behind.add_middleware(BodyLimit)
    problems.install(behind)
    routes = Routes()
    routes.post_direct("/orders", place, status_code=202)
    behind.include_router(routes)
    return behind, Direct(behind, routes.direct)


async def answers(method: str, path: str, content: Any, headers: Any) -> list[httpx.Response]:
    """Both apps' answers to a request."""
    found = []
    for app in apps():
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            body = content() if callable(content) else content
            found.append(await client.request(method, path, content=body, headers=headers))
    return found


async def too_many_chunks() -> AsyncIterator[bytes]:
    for _ in range(MAX_BODY_BYTES // 1024 + 1):
        yield b" " * 1024


def with_remark(remark: str) -> bytes:
    return json.dumps(json.loads(GOOD) | {"remark": remark}).encode()


@pytest.mark.parametrize(
    ("method", "path", "content", "headers", "status"),
    [
        ("POST", "/orders", GOOD, JSON, 202),
        ("POST", "/orders?x=1", GOOD, {"content-type": "Application/JSON; charset=utf-8"}, 202),
        ("POST", "/orders", GOOD, JSON | {"prefer": "wait=5", "traceparent": TRACE}, 202),
        ("POST", "/orders", GOOD, JSON | {"prefer": "soon", "traceparent": "rubbish"}, 202),
        ("POST", "/orders", GOOD.ljust(MAX_BODY_BYTES), JSON, 202),
        ("POST", "/orders", GOOD.ljust(MAX_BODY_BYTES + 1), JSON, 413),
        ("POST", "/orders", too_many_chunks, JSON, 413),
        ("POST", "/orders", GOOD, {}, 415),
        ("POST", "/orders", GOOD, {"content-type": "text/plain"}, 415),
        ("POST", "/orders", b"", JSON, 422),
        ("POST", "/orders", b'{"order_id": "pat_secret99"}', JSON, 422),
        ("POST", "/orders", with_remark("conflict"), JSON, 409),
        ("POST", "/orders", with_remark("away"), JSON, 503),
        ("POST", "/orders", with_remark("bug"), JSON, 500),
        ("GET", "/orders", b"", {}, 405),
        ("POST", "/pat_secret99", GOOD, JSON, 404),
    ],
)
async def test_the_answer_is_that_of_fastapi(
    method: str, path: str, content: Any, headers: dict[str, str], status: int
) -> None:
    behind, ahead = await answers(method, path, content, headers)
    assert ahead.status_code == behind.status_code == status
    assert ahead.content == behind.content
    assert ahead.headers == behind.headers
    assert SECRET not in ahead.text


async def test_fastapi_documents_it_with_its_headers() -> None:
    (_, ahead) = await answers("GET", "/openapi.json", b"", {})
    operation = ahead.json()["paths"]["/orders"]["post"]
    assert operation["operationId"] == "place_orders_post"
    assert {p["name"] for p in operation["parameters"]} == {"prefer", "traceparent"}


@pytest.mark.parametrize("sent", [b"", GOOD[:20]])
async def test_a_client_that_went_away_before_its_body_ended_is_not_answered(sent: bytes) -> None:
    coming: list[Message] = [
        {"type": "http.request", "body": sent, "more_body": True},
        {"type": "http.disconnect"},
    ]
    answered: list[Message] = []

    async def receive() -> Message:
        return coming.pop(0)

    async def send(message: Message) -> None:
        answered.append(message)

    scope: Scope = {"type": "http", "method": "POST", "path": "/orders", "headers": []}
    await apps()[1](scope, receive, send)
    assert not answered
