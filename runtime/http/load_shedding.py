"""Load shedding: refuses requests, so that the accepted ones are answered in time."""

from starlette.types import ASGIApp, Receive, Scope, Send

from runtime.http.problems import RETRY_AFTER_S, Problem

MAX_REQUESTS = 500
"""Requests in progress per process, including long polls."""

EXEMPT_PATHS = frozenset({"/livez", "/readyz", "/metrics"})
"""Never refused, so that an overloaded service can be observed."""


class LoadShedding:
    """ASGI middleware: 503 with Retry-After while `max_requests` are in progress."""

    def __init__(self, app: ASGIApp, max_requests: int = MAX_REQUESTS) -> None:
        self._app = app
        self._max_requests = max_requests
        self._in_progress = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in EXEMPT_PATHS:
            await self._app(scope, receive, send)
            return
        if self._in_progress >= self._max_requests:
            await _overloaded().response()(scope, receive, send)
            return
        self._in_progress += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._in_progress -= 1


def _overloaded() -> Problem:
    headers = {"Retry-After": str(RETRY_AFTER_S)}
    return Problem(503, "overloaded", "Too many requests; please try again soon.", headers=headers)
