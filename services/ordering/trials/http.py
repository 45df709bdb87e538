"""The routes of a practice's policy: what it is, and what another would have changed. Nothing is switched."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated

from fastapi import APIRouter, Depends, Response

from runtime.http.access import CallerOf, may
from runtime.http.caller import About, Caller
from runtime.http.problems import not_found, unavailable
from runtime.http.requests import PracticePath, documented, json_body
from runtime.http.responses import json_response
from runtime.resources import Resources
from schemas.access import Action, scope_of
from schemas.api.policies import PolicyTrialRequest, PolicyTrialView, PolicyView
from schemas.records.directory import Practice
from schemas.times import local_date
from services.ordering.trials.period import months_before, start_of
from services.ordering.trials.store import try_policy
from services.ordering.trials.views import trial_view


class TrialsApi:
    """Shows a practice its policy, and tries others; one at a time, as each takes seconds of this process."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._trying = False

    def policy(self, caller: Caller, agb: str) -> Response:
        """Show a practice's policy. Raises Problem (404) for one that is not in the directory."""
        caller.require(About(practice=agb), "practice")
        practices: Mapping[str, Practice] = self._resources.table(Practice).rows
        practice = practices.get(agb)
        if practice is None:
            raise not_found("practice")
        return json_response(PolicyView.model_validate(vars(practice.policy)))

    async def try_policy(self, caller: Caller, agb: str, request: PolicyTrialRequest) -> Response:
        """Try a policy on a practice's orders.

        Whoever may not see orders gets examples that do not say whose they are.

        Raises:
            Problem: 404, not the caller's practice; 503, another policy is being tried.
        """
        caller.require(About(practice=agb), "practice")
        day = months_before(local_date(caller.now), request.months)
        with self._alone():
            trial = await try_policy(
                self._resources.api_pool, agb, start_of(day), caller.now, request.policy
            )
        sees_orders = scope_of(caller.claims.role, Action.ORDERS_READ) is not None
        if sees_orders:
            caller.saw(each.order.patient for each in trial.examples)
        await self._resources.audit.write(caller.entries())
        return json_response(trial_view(trial, agb, day, with_orders=sees_orders))

    @contextmanager
    def _alone(self) -> Iterator[None]:
        if self._trying:
            raise unavailable("Another policy is being tried; please try again in a moment.")
        self._trying = True
        try:
            yield
        finally:
            self._trying = False


def add_routes(routes: APIRouter, api: TrialsApi) -> None:
    """Add the routes of a practice's policy."""

    @routes.get("/practices/{agb}/policy", response_model=PolicyView)
    @may(Action.POLICY_READ)
    async def policy(caller: CallerOf, agb: PracticePath) -> Response:
        """Show the policy by which a practice's orders are decided."""
        return api.policy(caller, agb)

    @routes.post(
        "/practices/{agb}/policy-trials",
        response_model=PolicyTrialView,
        openapi_extra=documented(PolicyTrialRequest),
    )
    @may(Action.POLICY_TRY)
    async def try_policy(
        caller: CallerOf,
        agb: PracticePath,
        request: Annotated[PolicyTrialRequest, Depends(json_body(PolicyTrialRequest))],
    ) -> Response:
        """Try a policy on a practice's past orders; nothing is switched."""
        return await api.try_policy(caller, agb, request)
