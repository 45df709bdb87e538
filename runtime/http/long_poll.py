"""Long polls: requests wait for rows that the worker will write, with one query per interval for all."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")

_INTERVAL_S = 0.02


class LongPoll(Generic[K, V]):
    """Call `find` with the keys of all waiting callers; never without callers."""

    def __init__(self, find: Callable[[Collection[K]], Awaitable[Mapping[K, V]]]) -> None:
        self._find = find
        self._waiting: dict[K, list[asyncio.Future[V]]] = {}
        self._polling: asyncio.Task[None] | None = None

    async def wait(self, key: K, seconds: float) -> V | None:
        """Wait for the value of `key`, at most `seconds`; then None. Raises what `find` raises."""
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
            self._remove(key, future)

    def _remove(self, key: K, future: "asyncio.Future[V]") -> None:
        waiting = self._waiting.get(key, [])
        if future in waiting:
            waiting.remove(future)
        if not waiting:
            self._waiting.pop(key, None)

    async def _poll(self) -> None:
        while self._waiting:
            try:
                values = await self._find(list(self._waiting))
            except Exception as error:
                self._fail(error)
                return
            for key, value in values.items():
                for future in self._waiting.pop(key, []):
                    if not future.done():
                        future.set_result(value)
            await asyncio.sleep(_INTERVAL_S)

    def _fail(self, error: Exception) -> None:
        for futures in self._waiting.values():
            for future in futures:
                if not future.done():
                    future.set_exception(error)
        self._waiting.clear()
