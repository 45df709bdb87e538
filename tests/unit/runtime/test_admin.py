"""Talking to Kafka as an administrator can be ended at any moment."""

import asyncio
from contextlib import suppress

import pytest

from runtime import topics


class _Client:
    """Closes as aiokafka's does: it waits for a task of its own that it has cancelled."""

    def __init__(self, *, bootstrap_servers: str, **_: object) -> None:
        self.closing = asyncio.Event()
        self._own = asyncio.create_task(self._lingers())

    async def start(self) -> None:
        """Nothing is to be started."""

    async def close(self) -> None:
        self.closing.set()
        with suppress(asyncio.CancelledError):
            await self._own

    async def _lingers(self) -> None:
        await asyncio.sleep(60)


async def test_being_cancelled_while_it_closes_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a client that is closing, when Ctrl-C comes, then what used it ends instead of going on."""
    used: list[_Client] = []

    def made(**settings: str) -> _Client:
        used.append(_Client(**settings))
        return used[-1]

    monkeypatch.setattr(topics, "AIOKafkaAdminClient", made)
    went_on = False

    async def ask() -> None:
        nonlocal went_on
        async with topics.admin("localhost:1"):
            pass
        went_on = True

    asking = asyncio.create_task(ask())
    while not used:
        await asyncio.sleep(0)
    await used[0].closing.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert not went_on
