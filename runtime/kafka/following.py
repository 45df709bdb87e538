"""Keeps reading a topic through outages of Kafka."""

import time
from collections.abc import Awaitable, Callable

import structlog
from aiokafka.errors import KafkaError

from runtime.backoff import Backoff

log = structlog.get_logger()

STEADY_S = 30.0
"""A connection that worked for so long resets the back-off."""


async def keep_reading(read: Callable[[], Awaitable[None]], topic: str) -> None:
    """Call `read` until cancelled: again, after a while, when Kafka was away or the topic must be read anew."""
    backoff = Backoff()
    while True:
        began_s = time.monotonic()
        why = "to be read anew"
        try:
            await read()
        except (KafkaError, OSError, TimeoutError) as error:
            why = type(error).__name__
        log.warning("waiting for a topic", topic=topic, why=why)
        if time.monotonic() - began_s > STEADY_S:
            backoff = Backoff()
        await backoff.wait()
