"""Signs of life."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

EXCUSED_S = 90.0
"""How long one attempt may take whose every step is bounded: a database may need 15 s for each statement."""


class Pulse:
    """When something last gave a sign of life, by this clock (seconds)."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last_s = clock()
        self._excused_until_s: list[float] = []

    def beat(self) -> None:
        """A sign of life, now."""
        self._last_s = self._clock()

    @contextmanager
    def excused(self, at_most_s: float = EXCUSED_S) -> Iterator[None]:
        """Count no silence for at most so many seconds while the body waits for a database: it is starved."""
        until_s = self._clock() + at_most_s
        self._excused_until_s.append(until_s)
        try:
            yield
        finally:
            self._excused_until_s.remove(until_s)
            self.beat()

    @property
    def silent_s(self) -> float:
        """Seconds since the last one."""
        return max(0.0, self._clock() - max([self._last_s, *self._excused_until_s]))
