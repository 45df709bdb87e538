"""What the endpoints of an order share: they find it, send a command about it, and answer."""

from collections.abc import Collection
from datetime import UTC, datetime
from uuid import UUID

from fastapi import Response

from runtime.http.caller import About, Caller
from runtime.http.long_poll import LongPoll
from runtime.http.problems import not_found, unavailable
from runtime.http.responses import json_response
from runtime.resources import Resources
from schemas.api.ordering import ReceivedView
from schemas.records.orders import OrderCancel, OrderPlace, OrderReview
from schemas.topics import Topic
from services.ordering import envelopes, intake, store
from services.ordering.domain.order import Order
from services.ordering.views import order_view

DECIDED_WITHIN_S = 5.0
"""How long (seconds) a command waits for the decision on an order that is still in the intake."""


class Commands:
    """Finds orders, and sends commands to the loop, which decides them."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._decided: LongPoll[UUID, Order] = LongPoll(self.find)

    async def order(self, order_id: UUID, caller: Caller) -> Order | intake.Received:
        """The order, decided or not. Raises Problem (404) when there is none that the caller may see."""
        async with self._resources.api_pool.acquire() as db:
            # Read the intake first: an order moves from there to `orders`, so one of the two reads finds it.
            received = await intake.received(db, order_id)
            order = (await store.orders(db, [order_id])).get(order_id)
        current = order or received
        if current is None or not caller.may(_about(current)):
            raise not_found("order")
        await self._resources.limits.patient(caller.claims, current.patient)
        return current

    async def decided(self, order_id: UUID, caller: Caller) -> Order:
        """The decided order. Raises Problem: 404 as `order`; 503, it is not decided yet."""
        order = await self.order(order_id, caller)
        if isinstance(order, Order):
            return order
        # It may not be on Kafka yet: a command before it would be refused as `unknown_order`.
        decided = await self.until_decided(order_id, DECIDED_WITHIN_S)
        if decided is None:
            raise unavailable("The order is not decided yet; please try again.")
        return decided

    async def until_decided(self, order_id: UUID, seconds: float) -> Order | None:
        """Wait for the decision on an order that was sent, at most so many seconds; then None."""
        return await self._decided.wait(order_id, seconds)

    async def find(self, ids: Collection[UUID]) -> dict[UUID, Order]:
        """The decided orders with these ids."""
        async with self._resources.api_pool.acquire() as db:
            return await store.orders(db, ids)

    async def send(
        self,
        topic: Topic,
        command: OrderPlace | OrderCancel | OrderReview,
        caller: Caller,
        traceparent: str | None,
    ) -> None:
        """Publish a command. Raises NotPublished when Kafka did not acknowledge it."""
        record = envelopes.command(topic, command, datetime.now(UTC), traceparent, caller.system)
        await self._resources.sender.send(record)


def accepted(order_id: UUID, outcome: Order | None) -> Response:
    """Answer a command: 200 with the order if it is carried out, else 202."""
    headers = {"Location": f"/orders/{order_id}"}
    if outcome is not None:
        return json_response(order_view(outcome), 200, headers | {"Preference-Applied": "wait"})
    return json_response(ReceivedView(order_id=order_id), 202, headers)


def _about(order: Order | intake.Received) -> About:
    return About(patient=order.patient, practice=order.practice, pharmacy=order.pharmacy)
