"""The route that explains how an order was decided."""

from typing import Annotated, TypeAlias
from uuid import UUID

from fastapi import APIRouter, Query, Response

from runtime.http.access import CallerOf, may
from runtime.http.caller import Caller
from runtime.http.problems import not_found
from runtime.http.responses import json_response
from runtime.resources import Resources
from schemas.access import Action
from schemas.api.explanations import ExplanationView
from schemas.reasons import Language
from schemas.records.directory import Policy, Practice
from services.ordering import journals
from services.ordering.commands import Commands
from services.ordering.explanations.explain import PolicyOf, explanation
from services.ordering.explanations.reader import Reader
from services.ordering.intake import Received

InLanguage: TypeAlias = Annotated[Language, Query()]
"""In which language it is told."""


class ExplanationsApi:
    """Explains how orders were decided."""

    def __init__(self, resources: Resources, commands: Commands) -> None:
        self._resources = resources
        self._commands = commands

    async def show(self, caller: Caller, order_id: UUID, language: Language) -> Response:
        """Explain every decision on an order. Raises Problem (404) if there is no such order."""
        order = await self._commands.order(order_id, caller)
        if isinstance(order, Received):
            undecided = ExplanationView(
                order_id=order_id, language=language, complete=True, decisions=[]
            )
            return json_response(undecided)
        async with self._resources.api_pool.acquire() as db:
            past = await journals.past(db, order_id)
        if past is None:
            # Its month was taken away meanwhile.
            raise not_found("order")
        practice = self._resources.table(Practice).rows.get(order.practice)
        reader = Reader.of(caller.claims.role, language)
        return json_response(explanation(past, policy_of(practice), reader))


def policy_of(practice: Practice | None) -> PolicyOf:
    """What is known of a practice's policies: only the present one, the default without a practice."""
    version = practice.version if practice else None
    policy = practice.policy if practice else Policy()
    return lambda asked: policy if asked == version else None


def add_routes(routes: APIRouter, api: ExplanationsApi) -> None:
    """Add the route of explanations."""

    @routes.get("/orders/{order_id}/explanation", response_model=ExplanationView)
    @may(Action.ORDERS_HISTORY)
    async def show(caller: CallerOf, order_id: UUID, language: InLanguage = "nl") -> Response:
        """Say in words which rules decided an order, on which facts, and what persons decided."""
        return await api.show(caller, order_id, language)
