"""Headers of every answer: what a browser must not do with it, and what a route adds on its way."""

from collections.abc import Mapping

from fastapi import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SECURITY_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    # A path names a patient.
    (b"referrer-policy", b"no-referrer"),
)

UNLESS_SAID = (
    (b"cache-control", b"no-store"),
    # An answer is data: a browser that shows it loads nothing, and no page frames it.
    (b"content-security-policy", b"default-src 'none'; base-uri 'none'; frame-ancestors 'none'"),
)
"""Unless the route says itself how its answer may be kept, and what its page loads."""

HSTS = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")
"""RFC 6797: only over TLS, as a browser ignores it elsewhere."""

_STATE = "answer_headers"


class AnswerHeaders:
    """ASGI middleware: adds the security headers, and those of `add_to_answer`, to every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state = scope.setdefault("state", {})

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message["headers"] = [*message.get("headers", ()), *SECURITY_HEADERS]
                said = {name for name, _ in headers}
                headers += [header for header in UNLESS_SAID if header[0] not in said]
                if scope["scheme"] == "https":
                    headers.append(HSTS)
                headers += state.get(_STATE, ())
            await send(message)

        await self._app(scope, receive, with_headers)


def add_to_answer(request: Request, headers: Mapping[str, str]) -> None:
    """Add headers to the answer to this request, whatever it will be."""
    kept = request.scope.setdefault("state", {}).setdefault(_STATE, [])
    kept += [(name.lower().encode(), value.encode()) for name, value in headers.items()]
