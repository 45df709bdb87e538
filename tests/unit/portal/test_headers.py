"""What a browser is told with every answer of the portal, and that no template needs more than that."""

import re

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from portal.web.headers import PageHeaders
from portal.web.rendering import TEMPLATES

PROVIDER = "https://login.example.org"
INLINE = re.compile(
    r"<script(?![^>]* src=)|<style|\sstyle=|\son[a-z]+=\"|hx-on|javascript:|\|\s*safe|autoescape"
)


async def ask(path: str, scheme: str = "https") -> httpx.Headers:
    """The headers of an answer of an app with one page and one asset."""

    async def page(_: Request) -> Response:
        return PlainTextResponse("page")

    async def asset(_: Request) -> Response:
        return PlainTextResponse("asset", headers={"Cache-Control": "public, max-age=31536000"})

    app = PageHeaders(Starlette(routes=[Route("/", page), Route("/asset", asset)]), [PROVIDER])
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url=f"{scheme}://portal") as http:
        return (await http.get(path)).headers


@pytest.mark.parametrize("path", ["/", "/asset", "/nothing"])
async def test_a_page_loads_its_own_files_only_and_nobody_frames_it(path: str) -> None:
    headers = await ask(path)
    policies = headers.get_list("content-security-policy")
    assert len(policies) == 1
    policy = dict(part.strip().split(" ", 1) for part in policies[0].split(";"))
    assert policy.pop("form-action") == f"'self' {PROVIDER}"
    assert {policy.pop(name) for name in ("default-src", "base-uri", "frame-ancestors")} == {
        "'none'"
    }
    assert set(policy.values()) == {"'self'"}
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert not [name for name in headers if name.startswith("access-control-")]


async def test_a_page_is_kept_nowhere_unless_it_says_so_itself() -> None:
    assert (await ask("/"))["cache-control"] == "no-store"
    assert (await ask("/nothing"))["cache-control"] == "no-store"
    assert (await ask("/asset")).get_list("cache-control") == ["public, max-age=31536000"]


async def test_only_over_tls_a_browser_is_told_to_stay_there() -> None:
    assert "max-age=31536000" in (await ask("/"))["strict-transport-security"]
    assert "strict-transport-security" not in await ask("/", scheme="http")


def test_no_template_has_a_script_or_style_of_its_own_or_takes_text_for_html() -> None:
    found = [
        (path.name, match[0])
        for path in sorted(TEMPLATES.rglob("*.html"))
        for match in INLINE.finditer(path.read_text(encoding="utf-8"))
    ]
    assert found == []
