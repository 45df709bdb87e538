"""Load shedding: excess requests are refused, probes never."""

import asyncio

import httpx
from fastapi import FastAPI

from runtime.http.load_shedding import LoadShedding


def _app(most: int, gate: asyncio.Event) -> FastAPI:
    app = FastAPI()
    app.add_middleware(LoadShedding, max_requests=most)

    @app.get("/slow")
    async def slow() -> str:
        await gate.wait()
        return "done"

    @app.get("/livez")
    async def livez() -> str:
        return "ok"

    return app


async def test_excess_requests_are_refused_at_once_until_others_finish() -> None:
    gate = asyncio.Event()
    transport = httpx.ASGITransport(_app(2, gate))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        accepted = [asyncio.create_task(client.get("/slow")) for _ in range(2)]
        await asyncio.sleep(0.05)
        refused = await client.get("/slow")
        assert refused.status_code == 503
        assert refused.headers["retry-after"] == "2"
        assert refused.headers["content-type"] == "application/problem+json"
        assert (await client.get("/livez")).status_code == 200
        gate.set()
        assert [answer.status_code for answer in await asyncio.gather(*accepted)] == [200, 200]
        assert (await client.get("/slow")).status_code == 200
