"""Waiting for rows that a worker will write, with one query for all who wait in this process."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")

_EVERY_S = 0.02


class Waiter(Generic[K, V]):
    """Polls `find` for all waited-for keys together, only while somebody waits."""

    def __init__(self, find: Callable[[Collection[K]], Awaitable[Mapping[K, V]]]) -> None:
        self._find = find
        self._waiting: dict[K, list[asyncio.Future[V]]] = {}
        self._polling: asyncio.Task[None] | None = None

    async def wait(self, key: K, seconds: float) -> V | None:
        """The value of `key` as soon as there is one; None when it has not come within `seconds`."""
        future: asyncio.Future[V] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, []).append(future)
        if self._polling is None or self._polling.done():
            self._polling = asyncio.create_task(self._poll())
        try:
            async with asyncio.timeout(seconds):
                return await future
        except TimeoutError:
            return None
        finally:
            self._forget(key, future)

    def _forget(self, key: K, future: "asyncio.Future[V]") -> None:
        waiting = self._waiting.get(key, [])
        if future in waiting:
            waiting.remove(future)
        if not waiting:
            self._waiting.pop(key, None)

    async def _poll(self) -> None:
        while self._waiting:
            try:
                found = await self._find(list(self._waiting))
            except Exception as error:
                self._fail(error)
                return
            for key, value in found.items():
                for future in self._waiting.pop(key, []):
                    if not future.done():
                        future.set_result(value)
            await asyncio.sleep(_EVERY_S)

    def _fail(self, error: Exception) -> None:
        for futures in self._waiting.values():
            for future in futures:
                if not future.done():
                    future.set_exception(error)
        self._waiting.clear()
