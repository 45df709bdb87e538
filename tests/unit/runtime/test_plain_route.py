"""A plain route answers as an ordinary FastAPI route, and skips no dependency or middleware."""

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request, Response
from fastapi.routing import APIRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runtime.http import problems
from runtime.http.plain_route import PlainRoute
from runtime.http.problems import Problem
from runtime.http.requests import PreferWait, Traceparent, max_body_bytes, read_json
from runtime.http.responses import json_response
from schemas.records.orders import OrderPlace
from tests.harness.made import an_order, as_json

SECRET = "pat_secret99"
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
GOOD = json.dumps(as_json(an_order("pat_anna0001"))).encode()
JSON = {"content-type": "application/json"}
MOST = max_body_bytes(OrderPlace)

RAISES: dict[str, Exception] = {
    "bug": ValueError(SECRET),
    "away": ConnectionRefusedError(SECRET),
    "conflict": Problem(409, "order-conflict", "Another order."),
}


async def place(request: Request, wait_s: PreferWait, traceparent: Traceparent) -> Response:
    """Return the order, or raise the error that its remark names."""
    order = await read_json(OrderPlace, request)
    if order.remark in RAISES:
        raise RAISES[order.remark]
    received = {"X-Received": f"{order.order_id} {wait_s} {traceparent}"}
    return json_response(order, 202, {"Location": f"/orders/{order.order_id}", **received})


def routes(kind: type[APIRoute] = PlainRoute, **options: Any) -> APIRouter:
    """Make a router with this route."""
    router = APIRouter()
    router.add_api_route(
        "/orders", place, methods=["POST"], status_code=202, route_class_override=kind, **options
    )
    return router


def app_with(router: APIRouter, **options: Any) -> FastAPI:
    """Make an app as every service does."""
    app = FastAPI(docs_url=None, redoc_url=None, **options)
    problems.install(app)
    app.include_router(router)
    return app


async def answer(
    app: ASGIApp,
    method: str = "POST",
    path: str = "/orders",
    content: Any = GOOD,
    headers: Any = JSON,
) -> httpx.Response:
    """Send a request to the app."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        body = content() if callable(content) else content
        return await client.request(method, path, content=body, headers=headers)


async def too_many_chunks() -> AsyncIterator[bytes]:
    for _ in range(MOST // 1024 + 1):
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
        ("POST", "/orders", GOOD.ljust(MOST), JSON, 202),
        ("POST", "/orders", GOOD.ljust(MOST + 1), JSON, 413),
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
async def test_the_answer_equals_that_of_an_ordinary_route(
    method: str, path: str, content: Any, headers: dict[str, str], status: int
) -> None:
    ordinary, plain = [
        await answer(app_with(routes(kind)), method, path, content, headers)
        for kind in (APIRoute, PlainRoute)
    ]
    assert plain.status_code == ordinary.status_code == status
    assert plain.content == ordinary.content
    assert plain.headers == ordinary.headers
    assert SECRET not in plain.text


async def test_its_openapi_equals_that_of_an_ordinary_route() -> None:
    ordinary, plain = [app_with(routes(kind)).openapi() for kind in (APIRoute, PlainRoute)]
    assert plain == ordinary
    parameters = plain["paths"]["/orders"]["post"]["parameters"]
    assert {p["name"] for p in parameters} == {"prefer", "traceparent"}


class Guard:
    """A dependency that counts requests, and refuses them if `refuses`."""

    def __init__(self, refuses: bool) -> None:
        self._refuses = refuses
        self.requests = 0

    async def __call__(self) -> None:
        self.requests += 1
        if self._refuses:
            raise HTTPException(403)


def on_the_route(guard: Guard) -> FastAPI:
    return app_with(routes(dependencies=[Depends(guard)]))


def on_its_router(guard: Guard) -> FastAPI:
    router = APIRouter(dependencies=[Depends(guard)])
    router.add_api_route("/orders", place, methods=["POST"], route_class_override=PlainRoute)
    return app_with(router)


def where_its_router_is_included(guard: Guard) -> FastAPI:
    app = app_with(APIRouter())
    app.include_router(routes(), dependencies=[Depends(guard)])
    return app


def on_a_router_around_its_router(guard: Guard) -> FastAPI:
    around = APIRouter(dependencies=[Depends(guard)])
    around.include_router(routes())
    return app_with(around)


def on_the_app(guard: Guard) -> FastAPI:
    return app_with(routes(), dependencies=[Depends(guard)])


def on_an_app_that_is_mounted(guard: Guard) -> FastAPI:
    app = app_with(APIRouter())
    app.mount("", on_the_app(guard))
    return app


WITH_DEPENDENCY = [
    on_the_route,
    on_its_router,
    where_its_router_is_included,
    on_a_router_around_its_router,
    on_the_app,
    on_an_app_that_is_mounted,
]


@pytest.mark.parametrize("guarded_by", WITH_DEPENDENCY)
async def test_a_refusing_dependency_stops_every_request(
    guarded_by: Callable[[Guard], FastAPI],
) -> None:
    guard = Guard(refuses=True)
    app = guarded_by(guard)
    answers = [await answer(app, content=b"no order") for _ in range(3)]
    assert {a.status_code for a in answers} == {403}
    assert guard.requests == 3


@pytest.mark.parametrize("guarded_by", WITH_DEPENDENCY)
async def test_an_allowing_dependency_does_not_change_the_answer(
    guarded_by: Callable[[Guard], FastAPI],
) -> None:
    guard = Guard(refuses=False)
    headers = JSON | {"prefer": "wait=5", "traceparent": TRACE}
    answered = await answer(guarded_by(guard), headers=headers)
    assert guard.requests == 1
    assert answered.headers["x-received"].endswith(f"5.0 {TRACE}")


async def test_a_router_in_two_apps_has_the_dependencies_of_each_app() -> None:
    router = routes()
    free = app_with(router)
    guarded = app_with(router, dependencies=[Depends(Guard(refuses=True))])
    statuses = [(await answer(app)).status_code for app in (free, guarded, free, guarded)]
    assert statuses == [202, 403, 202, 403]


class Refusing:
    """ASGI middleware that refuses all requests."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await Response(status_code=403)(scope, receive, send)


async def test_middleware_can_refuse_a_request() -> None:
    app = app_with(routes())
    app.add_middleware(Refusing)
    assert (await answer(app)).status_code == 403


async def with_a_guard_of_its_own(
    request: Request,
    wait_s: PreferWait,
    traceparent: Traceparent,
    guard: None = Depends(Guard(refuses=True)),
) -> Response:
    """An endpoint whose dependency would not run."""
    return Response()


async def without_the_headers(request: Request) -> Response:
    """An endpoint without the header parameters."""
    return Response()


@pytest.mark.parametrize("endpoint", [with_a_guard_of_its_own, without_the_headers])
def test_an_endpoint_with_other_parameters_is_refused_when_the_route_is_added(
    endpoint: Callable[..., Any],
) -> None:
    router = APIRouter(route_class=PlainRoute)
    with pytest.raises(TypeError, match="/orders must take request, wait_s, traceparent"):
        router.post("/orders")(endpoint)


@pytest.mark.parametrize("kind", [APIRoute, PlainRoute])
@pytest.mark.parametrize("sent", [b"", GOOD[:20]], ids=["nothing", "a part"])
async def test_a_client_that_disconnects_before_the_end_of_its_body_is_not_answered(
    sent: bytes, kind: type[APIRoute]
) -> None:
    coming: list[Message] = [
        {"type": "http.request", "body": sent, "more_body": True},
        {"type": "http.disconnect"},
    ]
    answered: list[Message] = []

    async def receive() -> Message:
        return coming.pop(0)

    async def send(message: Message) -> None:
        answered.append(message)

    request = {"type": "http", "method": "POST", "path": "/orders"}
    scope: Scope = {**request, "headers": [], "query_string": b""}
    await app_with(routes(kind))(scope, receive, send)
    assert coming == []
    assert answered == []
