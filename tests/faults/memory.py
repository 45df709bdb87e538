"""Measure the peak memory of services."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import psutil

from deploy.local import LocalStack

EVERY_S = 0.2
MB = 1 << 20


@asynccontextmanager
async def peaks(stack: LocalStack, services: Iterable[str]) -> AsyncIterator[dict[str, float]]:
    """Peak memory (RSS, MB) by service, updated while the body runs."""
    processes = {name: psutil.Process(stack.process(name).pid) for name in services}
    most = {name: process.memory_info().rss / MB for name, process in processes.items()}

    async def look() -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            for name, process in processes.items():
                most[name] = max(most[name], process.memory_info().rss / MB)

    looking = asyncio.create_task(look())
    try:
        yield most
    finally:
        looking.cancel()
        await asyncio.wait({looking})
