"""The portal answers under one host only: cookies ignore ports, and a host is where links lead."""

from starlette.datastructures import URL
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

ANY_HOST = frozenset({"/livez", "/readyz"})


class OneHost:
    """ASGI middleware: another host is sent to `origin` for a page, and refused for anything else."""

    def __init__(self, app: ASGIApp, origin: str) -> None:
        self._app = app
        self._origin = URL(origin)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in ANY_HOST or self._is_ours(scope):
            await self._app(scope, receive, send)
            return
        if scope["method"] in ("GET", "HEAD"):
            # To the start page: what an unknown host asks for is not repeated.
            answer: PlainTextResponse | RedirectResponse = RedirectResponse(f"{self._origin}/", 307)
        else:
            answer = PlainTextResponse("This is another host.", 421)
        await answer(scope, receive, send)

    def _is_ours(self, scope: Scope) -> bool:
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        return hosts == [self._origin.netloc.encode()]
