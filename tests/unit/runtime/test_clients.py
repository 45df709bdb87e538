"""What uses a Kafka client can be ended at any moment, also while the client closes."""

import asyncio
from contextlib import suppress

import pytest

from runtime.kafka.clients import closed


class _Client:
    """Closes as aiokafka's do: it waits for a task of its own that it has cancelled."""

    def __init__(self) -> None:
        self.closing = asyncio.Event()
        self._own = asyncio.create_task(asyncio.sleep(60))

    async def close(self) -> None:
        self.closing.set()
        with suppress(asyncio.CancelledError):
            await self._own

    def ended(self) -> None:
        """Its own task is done, as it is when nothing comes between."""
        self._own.cancel()


async def test_being_cancelled_while_a_client_closes_is_not_lost() -> None:
    """Given a client that is closing, when Ctrl-C comes, then what used it ends instead of going on."""
    client = _Client()
    went_on = False

    async def use() -> None:
        nonlocal went_on
        try:
            raise ConnectionError("which a caller would wait out and try again")
        except ConnectionError:
            await closed(client.close())
        went_on = True

    using = asyncio.create_task(use())
    await client.closing.wait()
    using.cancel()
    with pytest.raises(asyncio.CancelledError):
        await using
    assert not went_on


async def test_a_deadline_that_passes_while_a_client_closes_is_told_as_one() -> None:
    """Given a time-out around it, when that ends the closing, then it is a time-out, and not our end."""
    client = _Client()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await closed(client.close())
    assert not _cancelled()


async def test_a_client_that_closes_by_itself_is_closed_and_no_more() -> None:
    """Given nobody who cancels, when the client's own task ends, then what used it goes on."""
    client = _Client()
    closing = asyncio.create_task(closed(client.close()))
    await client.closing.wait()
    client.ended()
    await closing


async def test_one_that_was_cancelled_before_closes_its_client_in_peace() -> None:
    """Given a task that is ending, when it closes its client, then that is not cut short a second time."""
    client = _Client()

    async def use() -> str:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            await closed(client.close())
            return "closed"
        return "never cancelled"

    using = asyncio.create_task(use())
    await asyncio.sleep(0)
    using.cancel()
    await client.closing.wait()
    client.ended()
    assert await using == "closed"


def _cancelled() -> bool:
    task = asyncio.current_task()
    assert task is not None
    return task.cancelling() > 0
