"""The routes of lines in review. A decision becomes a Kafka record; the loop carries it out."""

from collections.abc import Collection
from typing import Annotated, TypeAlias
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Response

from runtime.http.access import CallerOf, may
from runtime.http.caller import About, Caller
from runtime.http.long_poll import LongPoll
from runtime.http.problems import Problem, not_found, unavailable
from runtime.http.requests import (
    PracticePath,
    PreferWait,
    Traceparent,
    documented,
    json_body,
)
from runtime.http.responses import json_response
from runtime.kafka.producer import NotPublished
from runtime.resources import Resources
from schemas import topics
from schemas.access import Action
from schemas.api.ordering import OrderView, ReceivedView
from schemas.api.reviews import ReviewRequest, ReviewsView
from schemas.base import Actor, LineNumber, Reviewer
from schemas.records.orders import OrderReview, Outcome
from services.ordering import store as orders_store
from services.ordering.commands import Commands, accepted
from services.ordering.domain.decisions import is_repeat, to_be_decided
from services.ordering.domain.order import Line, Order
from services.ordering.reviews import store
from services.ordering.reviews.store import CURSOR, START, Position
from services.ordering.reviews.views import reviews_view, why_not_in_review

After = Annotated[str | None, Query(pattern=CURSOR)]
Limit = Annotated[int, Query(ge=1, le=200)]
LinePath = Annotated[LineNumber, Path()]

LineKey: TypeAlias = tuple[UUID, int]
"""(order id, line number)."""


class ReviewsApi:
    """Shows a practice its lines in review, and takes the decisions on them."""

    def __init__(self, resources: Resources, commands: Commands) -> None:
        self._resources = resources
        self._commands = commands
        self._decided: LongPoll[LineKey, Order] = LongPoll(self._find_decided)

    async def of_practice(
        self,
        caller: Caller,
        practice: str,
        after: str | None,
        limit: int,
        reviewer: Reviewer | None,
    ) -> Response:
        """Show a page of a practice's lines in review, those placed first first.

        With a `reviewer` those alone that this one is to decide. The first page also has the approved lines
        whose medicine was stopped since.

        Raises:
            Problem: 404, not the caller's practice.
        """
        caller.require(About(practice=practice), "practice")
        position = Position.read(after) if after else START
        async with self._resources.api_pool.acquire() as db:
            found, total = await store.lines_in_review(db, practice, position, limit, reviewer)
            signalled = [] if after else await store.signalled_lines(db, practice)
        caller.saw(each.order.patient for each in (*found, *signalled))
        return json_response(reviews_view(found, total, limit, signalled))

    async def decide(
        self,
        caller: Caller,
        key: LineKey,
        request: ReviewRequest,
        wait_s: float,
        traceparent: str | None,
    ) -> Response:
        """Decide a line: 202 once Kafka acknowledged it, 200 if it is decided within `wait_s` (seconds).

        The same person's same decision again is a repeat: 200.

        Raises:
            Problem: 404, no such order or line; 409, it is not in review, or somebody else decided it first, or
                nothing can be approved without an overview; 503, Kafka did not acknowledge the decision.
        """
        order = await self._commands.decided(key[0], caller)
        command = OrderReview(
            order_id=order.order_id,
            patient=order.patient,
            line=key[1],
            outcome=request.outcome,
            quantity=request.quantity,
            decided_by=caller.acting(Actor, None, "decided_by"),
            explanation=request.explanation,
        )
        if not _in_review(order, key):
            return _answer(order, command)
        if command.outcome is Outcome.APPROVED:
            await self._require_overview(order.patient)
        await self._resources.audit.write(caller.entries())
        try:
            await self._commands.send(topics.ORDERS_REVIEWS, command, caller, traceparent)
        except NotPublished:
            raise unavailable("The decision could not be taken; please try again.") from None
        decided = await self._decided.wait(key, wait_s) if wait_s else None
        return _answer(decided, command) if decided else accepted(order.order_id, None)

    async def _require_overview(self, patient: str) -> None:
        """Raise Problem (409) while the overview is not here: an approval is decided on it."""
        async with self._resources.api_pool.acquire() as db:
            known = await orders_store.overviews(db, [patient])
        if not known:
            raise Problem(
                409, "no-overview", "The patient's overview is not here; the line stays in review."
            )

    async def _find_decided(self, keys: Collection[LineKey]) -> dict[LineKey, Order]:
        orders = await self._commands.find({order_id for order_id, _ in keys})
        found = {key: order for key in keys if (order := orders.get(key[0]))}
        return {key: order for key, order in found.items() if not _in_review(order, key)}


def _line(order: Order, number: int) -> Line:
    """A line of the order. Raises Problem (404) when it has no such line."""
    line = next((line for line in order.lines if line.number == number), None)
    if line is None:
        raise not_found("line of this order")
    return line


def _in_review(order: Order, key: LineKey) -> bool:
    return not order.cancelled and to_be_decided(_line(order, key[1]))


def _answer(order: Order, command: OrderReview) -> Response:
    """Answer a decision on a line that is decided: by this one, or by another. Raises Problem (409)."""
    line = _line(order, command.line)
    if not is_repeat(line, command):
        raise Problem(409, "not-in-review", why_not_in_review(order, line))
    return accepted(order.order_id, order)


def add_routes(routes: APIRouter, api: ReviewsApi) -> None:
    """Add the routes of lines in review."""

    @routes.get("/practices/{agb}/reviews", response_model=ReviewsView)
    @may(Action.REVIEWS_READ)
    async def of_practice(
        caller: CallerOf,
        agb: PracticePath,
        after: After = None,
        limit: Limit = 50,
        reviewer: Reviewer | None = None,
    ) -> Response:
        """List a practice's lines in review, oldest order first."""
        return await api.of_practice(caller, agb, after, limit, reviewer)

    @routes.put(
        "/orders/{order_id}/lines/{line}/review",
        status_code=202,
        openapi_extra=documented(ReviewRequest),
        responses={200: {"model": OrderView}, 202: {"model": ReceivedView}},
    )
    @may(Action.REVIEWS_DECIDE)
    async def decide(
        caller: CallerOf,
        order_id: UUID,
        line: LinePath,
        request: Annotated[ReviewRequest, Depends(json_body(ReviewRequest))],
        wait_s: PreferWait,
        traceparent: Traceparent,
    ) -> Response:
        """Approve or refuse a line in review."""
        return await api.decide(caller, (order_id, line), request, wait_s, traceparent)
