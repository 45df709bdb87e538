"""The routes of lines in review."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from runtime.http.access import CallerOf, may
from runtime.http.caller import About, Caller
from runtime.http.requests import PracticePath
from runtime.http.responses import json_response
from runtime.resources import Resources
from schemas.access import Action
from schemas.api.reviews import ReviewsView
from services.ordering.reviews import store
from services.ordering.reviews.store import CURSOR, START, Position
from services.ordering.reviews.views import reviews_view

After = Annotated[str | None, Query(pattern=CURSOR)]
Limit = Annotated[int, Query(ge=1, le=200)]


class ReviewsApi:
    """Shows a practice its lines in review."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    async def of_practice(
        self, caller: Caller, practice: str, after: str | None, limit: int
    ) -> Response:
        """Show a page of a practice's lines in review, those placed first first.

        Raises:
            Problem: 404, not the caller's practice.
        """
        caller.require(About(practice=practice), "practice")
        position = Position.read(after) if after else START
        async with self._resources.api_pool.acquire() as db:
            found, total = await store.lines_in_review(db, practice, position, limit)
        caller.saw(each.order.patient for each in found)
        return json_response(reviews_view(found, total, limit))


def add_routes(routes: APIRouter, api: ReviewsApi) -> None:
    """Add the routes of lines in review."""

    @routes.get("/practices/{agb}/reviews", response_model=ReviewsView)
    @may(Action.REVIEWS_READ)
    async def of_practice(
        caller: CallerOf, agb: PracticePath, after: After = None, limit: Limit = 50
    ) -> Response:
        return await api.of_practice(caller, agb, after, limit)
