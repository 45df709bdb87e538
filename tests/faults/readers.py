"""Readers that poll orders at a fixed rate, whatever the latency."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from uuid import uuid4

import httpx

from schemas.records.orders import OrderPlace
from tests.faults.clients import TURNED_AWAY

_TIMEOUT_S = 8.0


class Readers:
    """Send `GET /orders/{id}` for an acknowledged order; `answers` counts status codes, 0 for no answer."""

    def __init__(self, ordering: str, tokens: httpx.Auth, orders: Sequence[OrderPlace]) -> None:
        self.answers: Counter[int] = Counter()
        self._ordering = ordering
        self._tokens = tokens
        self._orders = orders

    @asynccontextmanager
    async def running(self, per_s: float) -> AsyncIterator[None]:
        """Send this many requests a second while the body runs, then wait for every answer.

        Fails when a reader was turned away.
        """
        stop = asyncio.Event()
        limits = httpx.Limits(max_connections=1000)
        async with httpx.AsyncClient(timeout=_TIMEOUT_S, limits=limits, auth=self._tokens) as http:
            reading = asyncio.create_task(self._read(http, per_s, stop))
            try:
                yield
            finally:
                stop.set()
                await reading
        assert self.answers.keys().isdisjoint(TURNED_AWAY), self.answers

    async def _read(self, http: httpx.AsyncClient, per_s: float, stop: asyncio.Event) -> None:
        began_s, count = time.monotonic(), 0
        async with asyncio.TaskGroup() as asking:
            while not stop.is_set():
                asking.create_task(self._ask(http))
                count += 1
                await asyncio.sleep(max(0.0, began_s + count / per_s - time.monotonic()))

    async def _ask(self, http: httpx.AsyncClient) -> None:
        order_id = self._orders[0].order_id if self._orders else uuid4()
        try:
            answer = await http.get(f"{self._ordering}/orders/{order_id}")
            self.answers[answer.status_code] += 1
        except httpx.HTTPError:
            self.answers[0] += 1
