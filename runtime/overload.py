"""Refusing work in time: a service that takes more than it can answer ends up answering nobody."""

from starlette.types import ASGIApp, Receive, Scope, Send

from runtime.problems import RETRY_AFTER_S, Problem

MOST_REQUESTS = 500
"""Requests under way in one process, waiting ones included; more would only wait in its memory."""

ALWAYS = frozenset({"/livez", "/readyz", "/metrics"})
"""What is asked most urgently while there is too much to do."""


class Overload:
    """ASGI middleware: 503 with Retry-After while `MOST_REQUESTS` are under way."""

    def __init__(self, app: ASGIApp, most: int = MOST_REQUESTS) -> None:
        self._app = app
        self._most = most
        self._under_way = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in ALWAYS:
            await self._app(scope, receive, send)
            return
        if self._under_way >= self._most:
            await _too_busy().response()(scope, receive, send)
            return
        self._under_way += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._under_way -= 1


def _too_busy() -> Problem:
    headers = {"Retry-After": str(RETRY_AFTER_S)}
    return Problem(503, "overloaded", "Too much to do; please try again soon.", headers=headers)
