"""Every answer has the security headers: also errors, and those that no route gives."""

import httpx
import pytest
from fastapi import FastAPI, Response

from runtime.http import problems
from runtime.http.answer_headers import AnswerHeaders
from runtime.http.load_shedding import LoadShedding


def app(most: int = 10) -> AnswerHeaders:
    made = FastAPI()
    problems.install(made)

    @made.get("/plain")
    async def plain() -> str:
        return "done"

    @made.get("/kept")
    async def kept() -> Response:
        return Response("kept", headers={"Cache-Control": "private, no-cache"})

    @made.get("/page")
    async def page() -> Response:
        return Response("page", headers={"Content-Security-Policy": "default-src 'self'"})

    @made.get("/fails")
    async def fails() -> str:
        raise ValueError("somebody's name")

    return AnswerHeaders(LoadShedding(made, most))


async def ask(path: str, *, most: int = 10, scheme: str = "http", **headers: str) -> httpx.Response:
    transport = httpx.ASGITransport(app(most), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=f"{scheme}://test") as client:
        return await client.get(path, headers=headers)


@pytest.mark.parametrize(
    ("path", "most", "status"),
    [("/plain", 10, 200), ("/fails", 10, 500), ("/nowhere", 10, 404), ("/plain", 0, 503)],
)
async def test_every_answer_has_them(path: str, most: int, status: int) -> None:
    answer = await ask(path, most=most)
    assert answer.status_code == status
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert (
        answer.headers["content-security-policy"]
        == "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"
    )
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    assert "strict-transport-security" not in answer.headers
    assert "server" not in answer.headers
    assert "somebody" not in answer.text


async def test_a_route_may_say_how_its_answer_is_kept() -> None:
    assert (await ask("/kept")).headers.get_list("cache-control") == ["private, no-cache"]


async def test_a_route_may_say_what_its_page_loads_and_nothing_else() -> None:
    headers = (await ask("/page")).headers
    assert headers.get_list("content-security-policy") == ["default-src 'self'"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


async def test_no_page_of_another_origin_may_read_an_answer() -> None:
    answer = await ask("/plain", origin="https://elsewhere.example")
    assert not [name for name in answer.headers if name.startswith("access-control-")]


async def test_only_over_tls_a_browser_is_told_to_stay_there() -> None:
    answer = await ask("/plain", scheme="https")
    assert answer.headers["strict-transport-security"] == "max-age=31536000; includeSubDomains"
