"""The route that says what happened to an order."""

from uuid import UUID

from fastapi import APIRouter, Response

from runtime.http.access import CallerOf, may
from runtime.http.caller import Caller
from runtime.http.problems import not_found
from runtime.http.responses import json_response
from runtime.resources import Resources
from schemas.access import Action
from schemas.api.explanations import TimelineView
from schemas.reasons import Language
from services.ordering import journals
from services.ordering.commands import Commands
from services.ordering.explanations.http import InLanguage
from services.ordering.explanations.reader import Reader
from services.ordering.intake import Received
from services.ordering.timelines.views import received, timeline


class TimelinesApi:
    """Tells what happened to orders."""

    def __init__(self, resources: Resources, commands: Commands) -> None:
        self._resources = resources
        self._commands = commands

    async def show(self, caller: Caller, order_id: UUID, language: Language) -> Response:
        """Tell what happened to an order. Raises Problem (404) if there is no such order."""
        order = await self._commands.order(order_id, caller)
        reader = Reader.of(caller.claims.role, language)
        if isinstance(order, Received):
            return json_response(received(order, reader))
        async with self._resources.api_pool.acquire() as db:
            past = await journals.past(db, order_id)
        if past is None:
            # Its month was taken away meanwhile.
            raise not_found("order")
        return json_response(timeline(past, reader))


def add_routes(routes: APIRouter, api: TimelinesApi) -> None:
    """Add the route of timelines."""

    @routes.get("/orders/{order_id}/timeline", response_model=TimelineView)
    @may(Action.ORDERS_HISTORY)
    async def show(caller: CallerOf, order_id: UUID, language: InLanguage = "nl") -> Response:
        """Say in words who or which rule did what with an order, oldest first."""
        return await api.show(caller, order_id, language)
