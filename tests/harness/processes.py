"""Looks at processes of the local stack."""

import asyncio
from collections.abc import Callable

import psutil


class Heard:
    """A report that keeps its lines."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def info(self, text: str) -> None:
        self.lines.append(text)

    def status(self, text: str) -> None:
        """Ignore the status line."""


def tree(pid: int) -> list[psutil.Process]:
    """A process and its descendants."""
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


async def eventually(holds: Callable[[], bool], within_s: float = 10) -> None:
    """Wait until it holds. Raises TimeoutError."""
    async with asyncio.timeout(within_s):
        while not holds():
            await asyncio.sleep(0.02)
