"""Signs of life of a worker, for its watchdog."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

MAX_SUSPENDED_S = 90.0
"""Longest bounded attempt: several statements, each limited to 15 s by the database."""


class Liveness:
    """Measures how long a worker has shown no sign of life; `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last_s = clock()
        self._suspended_until_s: list[float] = []

    def mark_alive(self) -> None:
        """Record a sign of life now."""
        self._last_s = self._clock()

    @contextmanager
    def suspended(self, at_most_s: float = MAX_SUSPENDED_S) -> Iterator[None]:
        """Do not count silence while the body waits for a database, for at most `at_most_s` seconds."""
        until_s = self._clock() + at_most_s
        self._suspended_until_s.append(until_s)
        try:
            yield
        finally:
            self._suspended_until_s.remove(until_s)
            self.mark_alive()

    @property
    def silent_s(self) -> float:
        """Seconds without a sign of life, not counting suspensions."""
        return max(0.0, self._clock() - max([self._last_s, *self._suspended_until_s]))
