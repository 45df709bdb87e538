"""Two portals: one sends orders over HTTP, one to Kafka. Both sometimes send an order twice."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from uuid import UUID

import httpx

from cli.demo.systems import OutsideSystems
from runtime.messages.encoding import encode
from schemas.records.orders import OrderPlace

_TWICE = 0.05
"""Share of orders that are sent again, as after a lost answer."""

_IN_FLIGHT = 8


class Portals:
    """Sends orders; `sent_s` is when each was sent first (seconds, monotonic clock)."""

    def __init__(self, http: httpx.AsyncClient, systems: OutsideSystems, ordering: str) -> None:
        self._http = http
        self._systems = systems
        self._ordering = ordering
        self.sent_s: dict[UUID, float] = {}
        self.refused: dict[UUID, int] = {}
        """HTTP status of each order that was not accepted."""

    async def send(self, orders: Sequence[OrderPlace], per_s: float, chance: random.Random) -> None:
        """Send every second order over HTTP, the others to Kafka; `per_s` is the total rate."""
        again = {order.order_id for order in orders if chance.random() < _TWICE}
        await asyncio.gather(
            self._each(orders[0::2], per_s / 2, again, self._over_http),
            self._each(orders[1::2], per_s / 2, again, self._over_kafka),
        )

    async def _each(
        self,
        orders: Iterable[OrderPlace],
        per_s: float,
        again: set[UUID],
        send: Callable[[OrderPlace], Awaitable[None]],
    ) -> None:
        slots = asyncio.Semaphore(_IN_FLIGHT)
        began_s = time.monotonic()

        async def one(number: int, order: OrderPlace) -> None:
            await asyncio.sleep(began_s + number / per_s - time.monotonic())
            async with slots:
                self.sent_s[order.order_id] = time.monotonic()
                await send(order)
                if order.order_id in again:
                    await send(order)

        await asyncio.gather(*(one(number, order) for number, order in enumerate(orders)))

    async def _over_http(self, order: OrderPlace) -> None:
        answer = await self._http.post(
            f"{self._ordering}/orders",
            content=encode(order),
            headers={"content-type": "application/json"},
        )
        if answer.status_code not in (200, 202):
            self.refused[order.order_id] = answer.status_code

    async def _over_kafka(self, order: OrderPlace) -> None:
        await self._systems.order(order)
