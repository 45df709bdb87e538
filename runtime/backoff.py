"""Exponential back-off with jitter."""

import asyncio
import random


class Backoff:
    """Intervals from `first_s`, doubled each time up to `max_s` seconds, plus up to 25 % jitter."""

    def __init__(self, first_s: float = 0.1, max_s: float = 5.0) -> None:
        self._next_s = first_s
        self._max_s = max_s

    async def wait(self) -> None:
        """Sleep for the next interval."""
        await asyncio.sleep(self.next())

    def next(self) -> float:
        """Return the next interval in seconds."""
        seconds = self._next_s
        self._next_s = min(self._max_s, seconds * 2)
        # Jitter prevents workers that failed together from retrying together.
        return seconds * random.uniform(1.0, 1.25)
