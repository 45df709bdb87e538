"""The longest that a request may take."""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runtime.http.event_stream import begins_stream
from runtime.http.problems import unavailable

REQUEST_S = 60.0
"""From its headers to the end of its answer: a client waits for a decision 30 s at most (`MAX_WAIT_S`)."""


class TimeLimit:
    """ASGI middleware: ends a request after `seconds`, with 503 unless its answer has begun.

    An answer that has begun is cut off: a client that does not read it keeps its place no longer. A stream is
    not: it has no end, and limits of its own.
    """

    def __init__(self, app: ASGIApp, seconds: float = REQUEST_S) -> None:
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def noting(message: Message) -> None:
            nonlocal begun
            begun = True
            if begins_stream(message):
                limit.reschedule(None)
            await send(message)

        try:
            async with asyncio.timeout(self._seconds) as limit:
                await self._app(scope, receive, noting)
        except TimeoutError:
            if not limit.expired():
                raise
            if not begun:
                await unavailable("This took too long.").response()(scope, receive, send)
