"""Pages about the portal itself: accessibility and privacy."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from portal.web.language_choice import language_of
from portal.web.site import Site

ABOUT = ("accessibility", "privacy")


def routes(site: Site) -> list[Route]:
    """The pages that everybody may read, whether logged in or not."""
    return [Route(f"/about/{name}", _page(site, name)) for name in ABOUT]


def _page(site: Site, name: str) -> Callable[[Request], Awaitable[Response]]:
    async def show(request: Request) -> Response:
        content = {"path": request.url.path, "query": ""}
        html = site.templates.render(f"web/{name}.html", language_of(request), content)
        return HTMLResponse(html)

    return show
