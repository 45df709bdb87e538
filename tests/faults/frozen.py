"""Processes that stand still for a while, as on a paused machine or behind a stalled disk."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import psutil


@asynccontextmanager
async def frozen(pid: int) -> AsyncIterator[None]:
    """Stop a process and all that it started (SIGSTOP) while the body runs; then all go on (SIGCONT)."""
    stopped = _stop_tree(pid)
    try:
        yield
    finally:
        for process in reversed(stopped):
            with suppress(psutil.NoSuchProcess):
                process.resume()


async def frozen_for(pid: int, seconds: float) -> None:
    """The same for so many seconds."""
    async with frozen(pid):
        await asyncio.sleep(seconds)


def _stop_tree(pid: int) -> list[psutil.Process]:
    """The parent first, so that it starts nothing new meanwhile."""
    parent = psutil.Process(pid)
    parent.suspend()
    stopped = [parent]
    for child in parent.children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            child.suspend()
            stopped.append(child)
    return stopped
