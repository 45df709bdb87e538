"""metrics' JSON API, read-only."""

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response

from runtime.http.access import CallerOf, GuardedRoute, may
from runtime.http.caller import About
from runtime.http.problems import Problem, invalid_field
from runtime.http.requests import Day, PracticePath
from runtime.http.responses import json_response
from runtime.resources import Resources
from schemas.access import Action
from schemas.api.metrics import By, OrdersReport
from schemas.records.directory import Practice
from schemas.times import AMSTERDAM
from services.metrics import store
from services.metrics.domain.periods import periods
from services.metrics.views import report

MAX_DAYS = 5 * 366
"""The longest period of a report: five years, the retention of the events."""

From = Annotated[Day | None, Query(alias="from")]
To = Annotated[Day | None, Query(alias="to")]


def router(resources: Resources) -> APIRouter:
    """The routes of metrics."""
    routes = APIRouter(route_class=GuardedRoute)
    practices = resources.table(Practice).rows

    @routes.get("/practices/{agb}/orders", response_model=OrdersReport)
    @may(Action.REPORTS_READ)
    async def orders(
        caller: CallerOf, agb: PracticePath, first: From = None, last: To = None, by: By = By.DAY
    ) -> Response:
        practice = practices.get(agb)
        region = practice.region if practice else None
        caller.require(About(practice=agb, region=region), "practice")
        until = last or datetime.now(AMSTERDAM).date()
        since = first or until.replace(day=1)
        _check(since, until)
        async with resources.api_pool.acquire() as db:
            totals = await store.totals(db, agb, since, until, by)
        shown = periods(since, until, by)
        return json_response(report(agb, since, until, by, shown, totals))

    return routes


def _check(first: date, last: date) -> None:
    """Raise Problem (422) if the range is reversed or too long."""
    if first > last:
        raise _invalid("is after to")
    if (last - first).days >= MAX_DAYS:
        raise _invalid("is more than five years before to")


def _invalid(why: str) -> Problem:
    return invalid_field("from", why)
