"""Query batching: items that arrive while a query runs share the next query."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")

_MAX_BATCH = 500


class QueryBatcher(Generic[Item, Answer]):
    """Runs one query at a time for all callers; `query` returns an answer per item, in the same order."""

    def __init__(self, query: Callable[[Sequence[Item]], Awaitable[Sequence[Answer]]]) -> None:
        self._query = query
        self._waiting: list[tuple[Item, asyncio.Future[Answer]]] = []
        self._running: asyncio.Task[None] | None = None

    async def run(self, item: Item) -> Answer:
        """Query one item, with others. Raises what the query raises."""
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._run())
        return await future

    async def _run(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:_MAX_BATCH], self._waiting[_MAX_BATCH:]
            try:
                answers = await self._query([item for item, _ in batch])
                pairs = list(zip(batch, answers, strict=True))
            except Exception as error:
                for _, future in batch:
                    if not future.done():
                        future.set_exception(error)
                continue
            for (_, future), answer in pairs:
                if not future.done():
                    future.set_result(answer)
