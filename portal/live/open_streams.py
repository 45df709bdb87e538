"""The open streams of this process: bounded, and ended soon after their session is."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterator
from contextlib import contextmanager

MOST = 5000
MOST_OF_SESSION = 4
"""One for a browser, and those that its earlier pages have not closed yet."""

ASK_EVERY_S = 10.0
"""How often it is asked which sessions go on."""


class OpenStreams:
    """Which sessions have an open stream. `alive` tells which of them go on, with one query for all."""

    def __init__(
        self,
        alive: Callable[[Collection[str]], Awaitable[frozenset[str]]],
    ) -> None:
        self._alive = alive
        self._open: Counter[str] = Counter()
        self._ended: dict[str, asyncio.Event] = {}

    def room(self, session: str) -> bool:
        """Whether one more stream of a session may be opened."""
        return self._open[session] < MOST_OF_SESSION and self._open.total() < MOST

    @contextmanager
    def opened(self, session: str) -> Iterator[asyncio.Event]:
        """Count a stream of a session while it is open; the event is set when the session has ended."""
        self._open[session] += 1
        ended = self._ended.setdefault(session, asyncio.Event())
        try:
            yield ended
        finally:
            self._open[session] -= 1
            if self._open[session] == 0:
                del self._open[session], self._ended[session]

    async def end_the_dead(self) -> None:
        """Ask once which sessions go on, and end the streams of the others."""
        if not self._ended:
            return
        asked = [*self._ended]
        alive = await self._alive(asked)
        for session in asked:
            if session not in alive and session in self._ended:
                self._ended[session].set()
