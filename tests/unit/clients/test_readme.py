"""The example in the client's README works as it stands."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import FastAPI
from fastapi.responses import JSONResponse

from herhaal_client import Addresses
from tests.architecture.source import CLIENTS
from tests.unit.clients.asking import RECEIVED, TOKEN
from tests.unit.clients.listening import listening
from tests.unit.schemas.test_api_bodies import ID

README = (CLIENTS / "README.md").read_text()
OTHER = ID.__class__(int=7)

_app = FastAPI()


@_app.get("/orders/{order_id}")
async def _order(order_id: str) -> JSONResponse:
    if order_id == f"{ID}":
        return JSONResponse(RECEIVED.model_dump(mode="json"))
    body = {"type": "urn:herhaal:problem:not-found", "detail": "There is no such order."}
    return JSONResponse(body, 404, media_type="application/problem+json")


def example() -> Callable[..., Awaitable[str]]:
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(code, "README.md", "exec"), names)
    shown: Callable[..., Awaitable[str]] = names["state_of"]
    return shown


async def test_the_example_shows_an_order_and_what_goes_wrong() -> None:
    state_of = example()
    async with listening(_app) as addresses:
        assert await state_of(ID, TOKEN, addresses) == "received"
        assert await state_of(OTHER, TOKEN, addresses) == "unknown"


async def test_the_example_says_when_to_try_again() -> None:
    nobody = "http://127.0.0.1:1"
    assert await example()(ID, TOKEN, Addresses(*[nobody] * 4)) == "try again in 5 s"
