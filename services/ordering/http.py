"""ordering's JSON API. A write becomes a Kafka record; the loop decides it."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from runtime.audit.entry import Entry, Outcome
from runtime.http.access import (
    CallerOf,
    GuardedPlainRoute,
    GuardedRoute,
    caller_of,
    may,
)
from runtime.http.caller import About, Caller
from runtime.http.long_poll import LongPoll
from runtime.http.problems import Problem, invalid_field, not_found, unavailable
from runtime.http.query_batching import QueryBatcher
from runtime.http.requests import (
    PatientPath,
    PharmacyPath,
    PreferWait,
    Traceparent,
    documented,
    json_body,
    read_json,
)
from runtime.http.responses import json_response
from runtime.kafka.producer import NotPublished
from runtime.messages.digest import digest_of
from runtime.resources import Resources
from schemas import topics
from schemas.access import Action
from schemas.api.ordering import (
    CancelRequest,
    FeedView,
    OrdersView,
    OrderView,
    PlaceRequest,
    ReceivedView,
)
from schemas.base import Actor, PlacedBy
from schemas.records.directory import Pharmacy
from schemas.records.orders import OrderCancel
from schemas.times import local_date
from services.ordering import intake, store
from services.ordering.commands import Commands, accepted
from services.ordering.directory import http as directory_http
from services.ordering.directory.http import DirectoryApi
from services.ordering.domain.decisions import is_open
from services.ordering.domain.order import Order
from services.ordering.explanations import http as explanations_http
from services.ordering.explanations.http import ExplanationsApi
from services.ordering.intake import Arrival
from services.ordering.orderable import http as orderable_http
from services.ordering.orderable.http import OrderableApi
from services.ordering.reviews import http as reviews_http
from services.ordering.reviews.http import ReviewsApi
from services.ordering.timelines import http as timelines_http
from services.ordering.timelines.http import TimelinesApi
from services.ordering.trials import http as trials_http
from services.ordering.trials.http import TrialsApi
from services.ordering.views import feed_items, order_view, place_command, received_view

Cursor = Annotated[int, Query(ge=0, le=10**18 - 1)]
Limit = Annotated[int, Query(ge=1, le=1000)]

CONFLICT = "order-conflict"


class OrderingApi:
    """Accepts orders and cancellations, publishes them to Kafka, and shows orders."""

    def __init__(self, resources: Resources, commands: Commands) -> None:
        self._resources = resources
        self._commands = commands
        self._intake: QueryBatcher[tuple[Arrival, Caller], str] = QueryBatcher(self._add_to_intake)
        self._closed: LongPoll[UUID, Order] = LongPoll(self._find_closed)

    async def place(
        self, caller: Caller, request: PlaceRequest, wait_s: float, traceparent: str | None
    ) -> Response:
        """Place an order: 202 once Kafka acknowledged it, 200 if it is decided within `wait_s` (seconds).

        Raises:
            Problem: 403, somebody else places it; 404, not for this patient; 409, another order has this id;
                422, `supply_until` is over, or a system names nobody; 503, Kafka did not acknowledge the order.
        """
        caller.require(About(patient=request.patient, practice=request.practice), "patient")
        await self._resources.limits.patient(caller.claims, request.patient)
        order = place_command(request, caller.acting(PlacedBy, request.placed_by, "placed_by"))
        if order.supply_until is not None and order.supply_until < local_date(datetime.now(UTC)):
            raise invalid_field("supply_until", "lies in the past")
        digest = digest_of(order)
        caller.trace.thing = f"{order.order_id}"
        arrival = Arrival(order.order_id, order.patient, digest, order.practice, order.pharmacy)
        first_digest = await self._intake.run((arrival, caller))
        if first_digest != digest:
            raise _conflict()
        try:
            await self._commands.send(topics.ORDERS_REQUESTS, order, caller, traceparent)
        except NotPublished:
            async with self._resources.api_pool.acquire() as db:
                await intake.remove(db, order.order_id, digest)
            raise unavailable("The order could not be taken; please send it again.") from None
        decided = await self._commands.until_decided(order.order_id, wait_s) if wait_s else None
        if decided is not None and decided.digest != digest:
            # Another order with this id came through Kafka and was decided first.
            raise _conflict()
        return accepted(order.order_id, decided)

    async def cancel(
        self,
        caller: Caller,
        order_id: UUID,
        request: CancelRequest,
        wait_s: float,
        traceparent: str | None,
    ) -> Response:
        """Cancel an order: 202 once Kafka acknowledged it, 200 if it is applied within `wait_s` (seconds).

        Raises:
            Problem: 403, somebody else cancels it; 404, no such order; 422, a system names nobody; 503, not
                decided yet, or Kafka did not acknowledge the command.
        """
        order = await self._commands.decided(order_id, caller)
        command = OrderCancel(
            order_id=order_id,
            patient=order.patient,
            cancelled_by=caller.acting(Actor, request.cancelled_by, "cancelled_by"),
            reason=request.reason,
        )
        await self._resources.audit.write(caller.entries())
        try:
            await self._commands.send(topics.ORDERS_REQUESTS, command, caller, traceparent)
        except NotPublished:
            raise unavailable("The cancellation could not be taken; please try again.") from None
        closed = await self._closed.wait(order_id, wait_s) if wait_s else None
        return accepted(order_id, closed)

    async def show(self, caller: Caller, order_id: UUID) -> Response:
        """Show an order's current state. Raises Problem (404) if there is no such order."""
        order = await self._commands.order(order_id, caller)
        if isinstance(order, Order):
            return json_response(order_view(order), 200)
        return json_response(received_view(order), 200)

    async def of_patient(self, caller: Caller, patient: str, limit: int) -> Response:
        """Show those of a patient's orders that the caller may see, newest first."""
        async with self._resources.api_pool.acquire() as db:
            orders = await store.orders_of_patient(db, patient, caller.share(patient), limit)
        if not orders:
            caller.saw_nothing()
        return json_response(OrdersView(orders=[order_view(order) for order in orders]), 200)

    async def feed(self, caller: Caller, pharmacy: str, after: int, limit: int) -> Response:
        """Show a page of a pharmacy's topic, for clients without Kafka.

        A pharmacy that left the directory keeps its feed: what was approved for it may not be read yet.

        Raises:
            Problem: 404, no such pharmacy, now or before, or not the caller's; 410, `after` is beyond the
                end of the topic.
        """
        caller.require(About(pharmacy=pharmacy), "pharmacy")
        topic = topics.PRESCRIPTIONS_PREFIX + pharmacy
        known = pharmacy in self._resources.table(Pharmacy).rows
        if not known and not await self._resources.pages.exists(topic):
            raise not_found("pharmacy")
        page = await self._resources.pages.read(topic, after, limit)
        if page.past_end:
            raise Problem(
                410,
                "unknown-cursor",
                "The cursor is beyond the end. Read from the start, and ignore entries whose id you have.",
            )
        items = feed_items(page.records)
        caller.saw(item.data["patient"] for item in items)
        return json_response(FeedView(items=items, next=f"{page.next_offset}"))

    async def _add_to_intake(self, arriving: Sequence[tuple[Arrival, Caller]]) -> list[str]:
        arrivals = [arrival for arrival, _ in arriving]
        async with self._resources.api_pool.acquire() as db, db.transaction():
            stored = await intake.add(db, arrivals)
            digests = [stored.get(arrival.order_id, arrival.digest) for arrival in arrivals]
            await self._resources.audit.append(
                db,
                [
                    entry
                    for (arrival, caller), digest in zip(arriving, digests, strict=True)
                    for entry in _placing(arrival, caller, digest)
                ],
            )
        return digests

    async def _find_closed(self, ids: Collection[UUID]) -> dict[UUID, Order]:
        return {
            id: order
            for id, order in (await self._commands.find(ids)).items()
            if not is_open(order)
        }


def _placing(arrival: Arrival, caller: Caller, stored_digest: str) -> list[Entry]:
    """The audit entries of an order that arrives: refused if another order has its id."""
    if arrival.digest == stored_digest:
        return caller.entries()
    return caller.entries(Outcome.REFUSED, CONFLICT)


def _conflict() -> Problem:
    return Problem(409, CONFLICT, "Another order has this order_id already.")


def router(resources: Resources) -> APIRouter:
    """The routes of ordering."""
    commands = Commands(resources)
    api = OrderingApi(resources, commands)
    routes = APIRouter(route_class=GuardedRoute)

    @may(Action.ORDERS_PLACE)
    async def place(request: Request, wait_s: PreferWait, traceparent: Traceparent) -> Response:
        """Place an order. `Prefer: wait=5` waits for the decision, 5 s at most."""
        order = await read_json(PlaceRequest, request)
        return await api.place(caller_of(request), order, wait_s, traceparent)

    routes.add_api_route(
        "/orders",
        place,
        methods=["POST"],
        route_class_override=GuardedPlainRoute,
        status_code=202,
        openapi_extra=documented(PlaceRequest),
        responses={200: {"model": OrderView}, 202: {"model": ReceivedView}},
    )

    @routes.get("/orders/{order_id}", response_model=OrderView | ReceivedView)
    @may(Action.ORDERS_READ)
    async def show(caller: CallerOf, order_id: UUID) -> Response:
        """Show an order as it is now."""
        return await api.show(caller, order_id)

    @routes.post(
        "/orders/{order_id}/cancel",
        status_code=202,
        openapi_extra=documented(CancelRequest),
        responses={200: {"model": OrderView}, 202: {"model": ReceivedView}},
    )
    @may(Action.ORDERS_CANCEL)
    async def cancel(
        caller: CallerOf,
        order_id: UUID,
        request: Annotated[CancelRequest, Depends(json_body(CancelRequest))],
        wait_s: PreferWait,
        traceparent: Traceparent,
    ) -> Response:
        """Cancel an order."""
        return await api.cancel(caller, order_id, request, wait_s, traceparent)

    @routes.get("/patients/{patient}/orders", response_model=OrdersView)
    @may(Action.ORDERS_READ)
    async def of_patient(caller: CallerOf, patient: PatientPath, limit: Limit = 100) -> Response:
        """List a patient's orders, newest first."""
        return await api.of_patient(caller, patient, limit)

    @routes.get("/pharmacies/{agb}/prescriptions", response_model=FeedView)
    @may(Action.PRESCRIPTIONS_READ)
    async def feed(
        caller: CallerOf, agb: PharmacyPath, after: Cursor = 0, limit: Limit = 100
    ) -> Response:
        """Page through a pharmacy's prescriptions, oldest first."""
        return await api.feed(caller, agb, after, limit)

    explanations_http.add_routes(routes, ExplanationsApi(resources, commands))
    timelines_http.add_routes(routes, TimelinesApi(resources, commands))
    reviews_http.add_routes(routes, ReviewsApi(resources, commands))
    orderable_http.add_routes(routes, OrderableApi(resources))
    directory_http.add_routes(routes, DirectoryApi(resources))
    trials_http.add_routes(routes, TrialsApi(resources))
    return routes
