"""A request takes no longer than it may."""

import asyncio

import httpx
import pytest
from fastapi import FastAPI

from runtime.http.time_limit import TimeLimit


def app() -> TimeLimit:
    made = FastAPI()

    @made.get("/slow")
    async def slow() -> str:
        await asyncio.Event().wait()
        return "never"

    @made.get("/fails")
    async def fails() -> str:
        raise TimeoutError("another one")

    return TimeLimit(made, seconds=0.1)


async def test_a_request_that_takes_too_long_is_answered_with_503() -> None:
    transport = httpx.ASGITransport(app())
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        answer = await client.get("/slow")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
        with pytest.raises(TimeoutError, match="another one"):
            await client.get("/fails")


async def test_an_answer_whose_client_does_not_read_is_cut_off() -> None:
    """Given an answer that has begun and whose body is not taken; then it ends, and sends no second head."""
    sent: list[str] = []

    async def stuck(message: object) -> None:
        sent.append(message["type"])  # type: ignore[index]
        if sent[-1] == "http.response.body":
            await asyncio.Event().wait()

    async def large(scope: object, receive: object, send: object) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})  # type: ignore[operator]
        await send({"type": "http.response.body", "body": b"much"})  # type: ignore[operator]

    async with asyncio.timeout(5):
        await TimeLimit(large, seconds=0.1)({"type": "http"}, stuck, stuck)  # type: ignore[arg-type]
    assert sent == ["http.response.start", "http.response.body"]
