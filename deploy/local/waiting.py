"""Wait for several things at once, or for one server."""

import asyncio
import time
from collections.abc import Coroutine
from typing import Any

from deploy.local.errors import StackError
from deploy.local.processes.supervisor import Probe


async def run_concurrently(*jobs: Coroutine[Any, Any, None]) -> None:
    """Run jobs concurrently; the first error cancels the others and is raised."""
    tasks = [asyncio.create_task(job) for job in jobs]
    if not tasks:
        return
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def wait_for_server(probe: Probe, what: str, within_s: float) -> None:
    """Wait for an external server. Raises StackError that names it after `within_s` seconds."""
    deadline = time.monotonic() + within_s
    while (reason := await probe()) is not None:
        if time.monotonic() > deadline:
            raise StackError(f"{what} does not answer: {reason}.")
        await asyncio.sleep(0.2)
