"""An ASGI app on a port of this machine, for tests that need a real connection."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from starlette.types import ASGIApp

from herhaal_client import Addresses


@asynccontextmanager
async def listening(app: ASGIApp) -> AsyncIterator[Addresses]:
    """Serve the app, and give its address as that of each service."""
    config = uvicorn.Config(app, "127.0.0.1", 0, log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    try:
        while not server.started:
            await asyncio.sleep(0.01)
        url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        yield Addresses(url, url, url, url)
    finally:
        server.should_exit = server.force_exit = True
        await serving
