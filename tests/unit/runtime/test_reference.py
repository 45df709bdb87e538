"""The API reference: a page for a browser, which loads nothing from elsewhere."""

import re

import pytest

from services.ordering.app import SERVICE as ORDERING
from tests.unit.served import Served


@pytest.fixture
def served() -> Served:
    """A service, asked without a token."""
    return Served(ORDERING, tokens=None)


async def test_anybody_may_open_the_page(served: Served) -> None:
    page = await served.ask("GET", "/docs")
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["cache-control"] == "no-cache"
    assert "herhaal ordering" in page.text


async def test_the_page_loads_only_from_where_it_came(served: Served) -> None:
    policy = (await served.ask("GET", "/docs")).headers.get_list("content-security-policy")
    assert policy == [
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
        " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ]


async def test_nothing_is_inline_and_nothing_is_from_elsewhere(served: Served) -> None:
    text = (await served.ask("GET", "/docs")).text
    assert re.search(r"<script(?![^>]*src=)|<style|\sstyle=|\son\w+=|https?:", text) is None


async def test_its_files_may_be_kept_under_a_name_that_changes_with_them(served: Served) -> None:
    """Given the page; when a browser asks for each file that it names; then it gets it, and may keep it."""
    text = (await served.ask("GET", "/docs")).text
    files = re.findall(r'(?:href|src)="(docs/[^"]+)"', text)
    assert len(files) == 4
    for file in files:
        answer = await served.ask("GET", f"/{file}")
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        kind = "text/javascript" if file.endswith(".js") else "text/css"
        assert answer.headers["content-type"] == f"{kind}; charset=utf-8"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"].startswith("default-src 'none'; base-uri")


@pytest.mark.parametrize(
    "path",
    [
        "/docs/000000000000/swagger-ui.css",
        "/docs/{version}/pages.py",
        "/docs/{version}/..%2fpages.py",
    ],
)
async def test_nothing_else_is_served(served: Served, path: str) -> None:
    text = (await served.ask("GET", "/docs")).text
    found = re.search(r"docs/(\w+)/", text)
    assert found
    answer = await served.ask("GET", path.format(version=found[1]))
    assert answer.status_code == 404


async def test_it_leads_to_both_documents(served: Served) -> None:
    text = (await served.ask("GET", "/docs")).text
    for document in re.findall(r'href="(\w+\.json)"', text):
        assert (await served.ask("GET", f"/{document}")).status_code == 200
    assert {"openapi.json", "asyncapi.json"} <= {*re.findall(r'href="([^"]+)"', text)}


async def test_the_document_names_no_page(served: Served) -> None:
    """The document is of the API, and a browser's page is no operation of it."""
    paths = (await served.ask("GET", "/openapi.json")).json()["paths"]
    assert not [path for path in paths if path.startswith("/docs")]
