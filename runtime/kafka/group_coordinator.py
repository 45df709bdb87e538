"""Retries of requests about consumer groups while the group has no coordinator."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from aiokafka.errors import (
    GroupCoordinatorNotAvailableError,
    GroupLoadInProgressError,
    NotCoordinatorForGroupError,
)

T = TypeVar("T")

_ATTEMPTS = 20
_AGAIN_S = 0.25

# On a new cluster, the first request creates the topic `__consumer_offsets`.
_TRANSIENT = (
    GroupCoordinatorNotAvailableError,
    GroupLoadInProgressError,
    NotCoordinatorForGroupError,
)


async def retry_without_coordinator(request: Callable[[], Awaitable[T]]) -> T:
    """The answer to a request about a group. Raises the KafkaError if there is no coordinator within 5 s."""
    for _ in range(_ATTEMPTS):
        try:
            return await request()
        except _TRANSIENT:
            await asyncio.sleep(_AGAIN_S)
    return await request()
