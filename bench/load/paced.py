"""Sends at a steady rate without waiting for answers (an open loop).

A latency counts from the time when a request was due, so that a slow answer does not hide later delays.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

START_S = 0.5
"""Seconds before the first request is due."""


async def send_paced(
    count: int, per_s: float, send: Callable[[int], Awaitable[None]]
) -> dict[int, float]:
    """Call `send` with 0, 1, 2 … at this rate; return when each was due, on the clock of `now_s`."""
    began_s = now_s() + START_S
    due_s = {number: began_s + number / per_s for number in range(count)}
    for number, at_s in due_s.items():
        if (ahead_s := at_s - now_s()) > 0:
            await asyncio.sleep(ahead_s)
        await send(number)
    return due_s


def now_s() -> float:
    """Read a monotonic clock, in seconds."""
    return time.perf_counter()
