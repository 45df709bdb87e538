"""Signs of life."""

import time
from collections.abc import Callable


class Pulse:
    """When something last gave a sign of life, by this clock (seconds)."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last_s = clock()

    def beat(self) -> None:
        """A sign of life, now."""
        self._last_s = self._clock()

    @property
    def silent_s(self) -> float:
        """Seconds since the last one."""
        return self._clock() - self._last_s
