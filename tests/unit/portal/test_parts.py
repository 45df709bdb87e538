"""What every page stands on: sealing, languages, hosts, paths, assets and their size."""

import gzip

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from portal.session.sealing import Sealer, Unreadable
from portal.web.assets import Assets
from portal.web.hosts import OneHost
from portal.web.language_choice import local_path
from portal.web.languages import accepted
from portal.web.rendering import Templates

ORIGIN = "https://herhaal.example.org"
FIRST_PAGE_BYTES = 100_000


def test_what_is_sealed_opens_with_its_key_and_for_its_row_only() -> None:
    sealer = Sealer(bytes(32))
    sealed = sealer.seal(["words"], b"row")
    assert b"words" not in sealed
    assert sealer.open(sealed, b"row") == ["words"]
    assert sealer.seal(["words"], b"row") != sealed
    damaged = sealed[:-1] + bytes([sealed[-1] ^ 1])
    for key, content, row in (
        (bytes(32), sealed, b"other"),
        (b"x" * 32, sealed, b"row"),
        (bytes(32), damaged, b"row"),
        (bytes(32), b"", b"row"),
    ):
        with pytest.raises(Unreadable):
            Sealer(key).open(content, row)


@pytest.mark.parametrize("key", ["", "00", "g" * 64, "0" * 66])
def test_a_key_that_is_none_is_refused_without_being_quoted(key: str) -> None:
    with pytest.raises(ValueError, match="must be 64 hexadecimal digits") as refused:
        Sealer.from_hex(key)
    assert not key or key not in str(refused.value)


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("nl", "nl"),
        ("nl-BE,en;q=0.5", "nl"),
        ("en-US,en;q=0.9,nl;q=0.8", "en"),
        ("de,en;q=0.3,nl;q=0.4", "nl"),
        ("en;q=0,nl;q=0.1", "nl"),
        ("de, fr", None),
        ("", None),
        ("*", None),
        ("en;q=x", None),
        (";;;,,,", None),
        ("en," * 10_000, "en"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_the_language_that_a_browser_asks_for(header: str, language: str | None) -> None:
    assert accepted(header) == language


@pytest.mark.parametrize(
    "path",
    [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "javascript:x",
        "",
        "x",
        "/a\nb",
        "/\t/b",
    ],
)
def test_a_path_that_could_lead_elsewhere_is_the_start_page(path: str) -> None:
    assert local_path(path) == "/"


def test_a_path_of_ours_is_kept() -> None:
    assert local_path("/patients/pat_a/orders?x=%2F") == "/patients/pat_a/orders?x=%2F"


@pytest.mark.parametrize(
    ("method", "path", "host", "status"),
    [
        ("GET", "/", "herhaal.example.org", 200),
        ("POST", "/", "herhaal.example.org", 200),
        ("GET", "/", "evil.example", 307),
        ("POST", "/", "evil.example", 421),
        ("GET", "/", "herhaal.example.org.evil.example", 307),
        ("GET", "/livez", "10.0.0.1", 200),
    ],
)
async def test_only_our_host_is_answered(method: str, path: str, host: str, status: int) -> None:
    async def answer(_: Request) -> PlainTextResponse:
        return PlainTextResponse("here")

    routes = [Route(each, answer, methods=["GET", "POST"]) for each in ("/", "/livez")]
    transport = httpx.ASGITransport(OneHost(Starlette(routes=routes), ORIGIN))
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as http:
        got = await http.request(method, path, headers={"host": host})
    assert got.status_code == status
    assert got.headers.get("location") == (f"{ORIGIN}/" if status == 307 else None)


async def _fetch(assets: Assets, url: str, **headers: str) -> httpx.Response:
    app = Starlette(routes=[Route("/assets/{name}", assets.serve)])
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url=ORIGIN, headers={"accept-encoding": "identity"}
    ) as http:
        return await http.get(
            url, headers={name.replace("_", "-"): headers[name] for name in headers}
        )


@pytest.mark.parametrize("name", ["portal.css", "portal.js", "htmx.min.js", "icon.svg"])
async def test_an_asset_is_kept_for_ever_under_a_name_of_its_content(name: str) -> None:
    """Given an asset; then it is the same packed and not, and another hash is not found."""
    assets = Assets()
    url = assets.url(name)
    plain, packed = await _fetch(assets, url), await _fetch(assets, url, accept_encoding="gzip")
    assert plain.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert (plain.content, packed.headers["content-encoding"]) == (packed.content, "gzip")
    digest = url.split(".")[-2]
    assert (await _fetch(assets, url.replace(digest, "0" * 12))).status_code == 404


async def test_the_first_page_and_all_that_it_needs_are_small() -> None:
    """Given somebody's first visit; then the page and all its assets, packed, are below 100 KB."""
    assets = Assets()
    page = Templates(assets).render("web/welcome.html", "nl", {"path": "/", "query": ""})
    names = ("portal.css", "portal.js", "htmx.min.js", "icon.svg", "source-sans-3.woff2")
    urls = [assets.url(name) for name in names]
    assert all(url in page for url in urls)
    sizes = [
        int((await _fetch(assets, url, accept_encoding="gzip")).headers["content-length"])
        for url in urls
    ]
    assert sum(sizes) + len(gzip.compress(page.encode())) < FIRST_PAGE_BYTES
