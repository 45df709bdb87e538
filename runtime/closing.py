"""Closing a Kafka client, and hearing that we are to end meanwhile."""

import asyncio
from collections.abc import Awaitable


async def closed(closing: Awaitable[None]) -> None:
    """Wait for a client to close. Raises CancelledError when this task was cancelled meanwhile.

    aiokafka's own does not: it cancels a task of its own there, and takes our being cancelled for that one's.
    """
    doing = asyncio.current_task()
    assert doing is not None, "a client is closed within a task"
    told = doing.cancelling()
    await closing
    if doing.cancelling() > told:
        raise asyncio.CancelledError
