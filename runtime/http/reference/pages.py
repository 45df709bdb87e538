"""The page `/docs` and its files: Swagger UI, served by the service itself (README.md)."""

import hashlib
from pathlib import Path
from string import Template

from fastapi import APIRouter
from fastapi.responses import FileResponse, HTMLResponse

from runtime.http.access import public
from runtime.http.problems import Problem

FOLDER = Path(__file__).parent

FILES = {
    "swagger-ui.css": "text/css",
    "page.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "start.js": "text/javascript",
}

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

_PAGE = {"Content-Security-Policy": POLICY, "Cache-Control": "no-cache"}
_FOREVER = {"Cache-Control": "public, max-age=31536000, immutable"}


def router(title: str) -> APIRouter:
    """Create the routes of the reference; `title` is that of the OpenAPI document."""
    routes = APIRouter(include_in_schema=False)
    version = _version()
    text = Template((FOLDER / "page.html").read_text()).substitute(title=title, version=version)

    @routes.get("/docs")
    @public
    async def page() -> HTMLResponse:
        return HTMLResponse(text, headers=_PAGE)

    @routes.get("/docs/{of_version}/{name}")
    @public
    async def file(of_version: str, name: str) -> FileResponse:
        if of_version != version or name not in FILES:
            raise Problem(404, "not-found", "There is no such file.")
        return FileResponse(FOLDER / name, media_type=FILES[name], headers=_FOREVER)

    return routes


def _version() -> str:
    """A hash of all files: their addresses change when one of them does."""
    content = b"".join((FOLDER / name).read_bytes() for name in FILES)
    return hashlib.sha256(content).hexdigest()[:12]
