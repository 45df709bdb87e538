"""Freeze processes for a while, as a paused machine or a stalled disk does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import psutil


@asynccontextmanager
async def frozen(pid: int) -> AsyncIterator[None]:
    """Freeze a process and its descendants (SIGSTOP) while the body runs, then resume them (SIGCONT)."""
    stopped = _stop_tree(pid)
    try:
        yield
    finally:
        for process in reversed(stopped):
            with suppress(psutil.NoSuchProcess):
                process.resume()


async def frozen_for(pid: int, seconds: float) -> None:
    """Freeze a process and its descendants for this many seconds."""
    async with frozen(pid):
        await asyncio.sleep(seconds)


def _stop_tree(pid: int) -> list[psutil.Process]:
    """Stop a process and its descendants: the parent first, so that it starts no more children."""
    parent = psutil.Process(pid)
    parent.suspend()
    stopped = [parent]
    for child in parent.children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            child.suspend()
            stopped.append(child)
    return stopped
