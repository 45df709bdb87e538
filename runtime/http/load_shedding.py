"""Load shedding: refuses requests, so that the accepted ones are answered in time."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runtime.http.event_stream import begins_stream
from runtime.http.problems import RETRY_AFTER_S, Problem

MAX_REQUESTS = 500
"""Requests in progress per process, including long polls; not streams, which have a bound of their own."""

EXEMPT_PATHS = frozenset({"/livez", "/readyz", "/metrics"})
"""Never refused, so that an overloaded service can be observed."""


class LoadShedding:
    """ASGI middleware: 503 with Retry-After while `max_requests` are in progress."""

    def __init__(self, app: ASGIApp, max_requests: int = MAX_REQUESTS) -> None:
        self._app = app
        self._max_requests = max_requests
        self.in_progress = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in EXEMPT_PATHS:
            await self._app(scope, receive, send)
            return
        if self.in_progress >= self._max_requests:
            await _overloaded().response()(scope, receive, send)
            return
        place = _Place(self)
        try:
            await self._app(scope, receive, place.leaving_for_a_stream(send))
        finally:
            place.leave()


class _Place:
    """The place of one request among those in progress."""

    def __init__(self, shedding: LoadShedding) -> None:
        self._shedding = shedding
        self._taken = 1
        shedding.in_progress += 1

    def leave(self) -> None:
        """Leave it to others."""
        self._shedding.in_progress -= self._taken
        self._taken = 0

    def leaving_for_a_stream(self, send: Send) -> Send:
        """Send, and leave as soon as the answer is known to be a stream."""

        async def sending(message: Message) -> None:
            if begins_stream(message):
                self.leave()
            await send(message)

        return sending


def _overloaded() -> Problem:
    headers = {"Retry-After": str(RETRY_AFTER_S)}
    return Problem(503, "overloaded", "Too many requests; please try again soon.", headers=headers)
