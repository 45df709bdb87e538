"""Headers of every answer: what the browser may load, keep and send along."""

from collections.abc import Sequence

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runtime.http.answer_headers import HSTS


class PageHeaders:
    """ASGI middleware: adds the security headers; a page is kept nowhere unless it says so itself.

    `form_targets` are other origins that a form may lead to: the provider's, as logout redirects there.
    """

    def __init__(self, app: ASGIApp, form_targets: Sequence[str]) -> None:
        self._app = app
        policy = (
            "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self';"
            " connect-src 'self'; base-uri 'none'; frame-ancestors 'none';"
            f" form-action 'self' {' '.join(form_targets)}"
        )
        self._headers = [
            (b"content-security-policy", policy.encode()),
            (b"x-content-type-options", b"nosniff"),
            (b"referrer-policy", b"same-origin"),
            (b"cross-origin-opener-policy", b"same-origin"),
            (b"cross-origin-resource-policy", b"same-origin"),
            (
                b"permissions-policy",
                b"camera=(), microphone=(), geolocation=(), payment=(), usb=()",
            ),
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message["headers"] = [*message.get("headers", ()), *self._headers]
                if all(name != b"cache-control" for name, _ in headers):
                    headers.append((b"cache-control", b"no-store"))
                if scope["scheme"] == "https":
                    headers.append(HSTS)
            await send(message)

        await self._app(scope, receive, with_headers)
