"""Waiting longer after each failure."""

import asyncio
import random


class Backoff:
    """Waits `first_s`, then twice as long each time up to `most_s` seconds, with up to a quarter of jitter."""

    def __init__(self, first_s: float = 0.1, most_s: float = 5.0) -> None:
        self._next_s = first_s
        self._most_s = most_s

    async def wait(self) -> None:
        """Sleep the next interval."""
        await asyncio.sleep(self.next())

    def next(self) -> float:
        """The next interval in seconds."""
        seconds = self._next_s
        self._next_s = min(self._most_s, seconds * 2)
        # Jitter keeps workers that failed together from coming back together.
        return seconds * random.uniform(1.0, 1.25)
