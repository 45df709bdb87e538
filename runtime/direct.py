"""Answering a few endpoints ahead of FastAPI, whose routing and dependencies cost more than they do.

FastAPI documents them, and answers whatever is asked otherwise, such as another method.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

from runtime import problems
from runtime.requests import Asked, PreferWait, Traceparent, read_body

Endpoint = Callable[[Asked], Awaitable[Response]]
"""Answers a request. May raise Problem, and what `problems.answer_to` has an answer to."""


class Routes(APIRouter):
    """A service's routes; those in `direct` are answered by `Direct`."""

    def __init__(self) -> None:
        super().__init__()
        self.direct: dict[tuple[str, str], Endpoint] = {}

    def post_direct(self, path: str, endpoint: Endpoint, **documented: Any) -> None:
        """Answer POST `path`, which has no parameters in it; `documented` is what FastAPI tells of it."""

        async def behind(request: Request, prefer: PreferWait, trace: Traceparent) -> Response:
            return await endpoint(Asked(request.scope["headers"], await request.body()))

        name = endpoint.__name__
        self.add_api_route(path, behind, methods=["POST"], name=name, **documented)
        self.direct["POST", path] = endpoint


class Direct:
    """ASGI middleware: answers these methods and paths itself; all else is left to the app behind it."""

    def __init__(self, app: ASGIApp, endpoints: Mapping[tuple[str, str], Endpoint]) -> None:
        self._app = app
        self._endpoints = endpoints

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = (scope["method"], scope["path"]) if scope["type"] == "http" else None
        endpoint = self._endpoints.get(asked) if asked else None
        if endpoint is None:
            await self._app(scope, receive, send)
            return
        try:
            body = await read_body(scope, receive)
            answer = await endpoint(Asked(scope["headers"], body))
        except ClientDisconnect:
            # Nobody is there to be answered, and a part of a body is no order.
            return
        except Exception as error:
            answer = problems.answer_to(error, scope["path"])
        await answer(scope, receive, send)
