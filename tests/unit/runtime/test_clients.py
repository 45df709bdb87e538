"""Closing a Kafka client does not swallow the caller's cancellation."""

import asyncio
from contextlib import suppress

import pytest

from runtime.kafka.clients import closed


class _Client:
    """Closes as aiokafka's clients do: it cancels a task of its own and waits for it."""

    def __init__(self) -> None:
        self.closing = asyncio.Event()
        self._own = asyncio.create_task(asyncio.sleep(60))

    async def close(self) -> None:
        self.closing.set()
        with suppress(asyncio.CancelledError):
            await self._own

    def end_task(self) -> None:
        """Let its own task end, as in a normal close."""
        self._own.cancel()


async def test_a_cancellation_while_a_client_closes_is_raised() -> None:
    """Given a client that is closing; when its caller is cancelled; then the caller ends."""
    client = _Client()
    continued = False

    async def use() -> None:
        nonlocal continued
        try:
            raise ConnectionError("a transient error")
        except ConnectionError:
            await closed(client.close())
        continued = True

    using = asyncio.create_task(use())
    await client.closing.wait()
    using.cancel()
    with pytest.raises(asyncio.CancelledError):
        await using
    assert not continued


async def test_a_time_out_while_a_client_closes_is_a_time_out() -> None:
    """Given a time-out around a close; when it expires; then it raises TimeoutError, not a cancellation."""
    client = _Client()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await closed(client.close())
    assert not _cancelled()


async def test_a_client_that_closes_normally_does_not_cancel_its_caller() -> None:
    """Given no cancellation; when the client's own task ends; then the caller continues."""
    client = _Client()
    closing = asyncio.create_task(closed(client.close()))
    await client.closing.wait()
    client.end_task()
    await closing


async def test_a_caller_that_was_cancelled_before_can_close_its_client() -> None:
    """Given a cancelled task; when it closes its client; then closing is not interrupted."""
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
    client.end_task()
    assert await using == "closed"


def _cancelled() -> bool:
    task = asyncio.current_task()
    assert task is not None
    return task.cancelling() > 0


async def test_a_client_that_takes_its_own_task_for_its_caller_does_not_cancel_it() -> None:
    """Given a client whose close raises the cancellation of its own task, as aiokafka's when Kafka is
    away; then the caller's own error is raised on."""

    async def close() -> None:
        raise asyncio.CancelledError

    async def use() -> None:
        try:
            raise ConnectionError("Kafka is away")
        finally:
            await closed(close())

    with pytest.raises(ConnectionError):
        await use()
    assert not _cancelled()
