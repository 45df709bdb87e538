"""The open streams of this process: bounded, and ended soon after their session is."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

MOST = 5000
MOST_OF_SESSION = 4
"""One for a browser, and those that its earlier pages have not closed yet."""

ASK_EVERY_S = 10.0
"""How often it is asked which sessions go on."""


@dataclass
class Ending:
    """Set when the streams of a session are to end; `over` when it is because the session has ended."""

    set: asyncio.Event = field(default_factory=asyncio.Event)
    over: bool = False


class OpenStreams:
    """Which sessions have an open stream."""

    def __init__(self) -> None:
        self._open: Counter[str] = Counter()
        self._endings: dict[str, Ending] = {}

    def room(self, session: str) -> bool:
        """Whether one more stream of a session may be opened."""
        return self._open[session] < MOST_OF_SESSION and self._open.total() < MOST

    @contextmanager
    def opened(self, session: str) -> Iterator[Ending]:
        """Count a stream of a session while it is open."""
        self._open[session] += 1
        ending = self._endings.setdefault(session, Ending())
        try:
            yield ending
        finally:
            self._open[session] -= 1
            if self._open[session] == 0:
                del self._open[session], self._endings[session]

    async def end_the_dead(
        self, alive: Callable[[Collection[str]], Awaitable[frozenset[str]]]
    ) -> None:
        """Ask once which sessions go on, with one query for all, and end the streams of the others."""
        if not self._endings:
            return
        asked = dict(self._endings)
        living = await alive(asked)
        for session, ending in asked.items():
            if session not in living:
                ending.over = True
                ending.set.set()

    def end_all(self) -> None:
        """End all streams, as this process stops: the browsers connect again."""
        for ending in self._endings.values():
            ending.set.set()
