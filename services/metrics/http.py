"""metrics' JSON API, read-only."""

import asyncio
from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from runtime.http.access import CallerOf, GuardedRoute, may
from runtime.http.caller import About
from runtime.http.problems import Problem, invalid_field
from runtime.http.requests import Day, PracticePath
from runtime.http.responses import json_response
from runtime.resources import Resources
from schemas.access import Action, RegionName
from schemas.api.metrics import By, OrdersReport, RegionReport
from schemas.records.directory import Practice
from schemas.times import AMSTERDAM
from services.metrics import store
from services.metrics.domain.periods import periods
from services.metrics.views import Span, region_report, report

MAX_DAYS = 5 * 366
"""The longest period of a report: five years, the retention of the events."""

From = Annotated[Day | None, Query(alias="from")]
To = Annotated[Day | None, Query(alias="to")]
RegionPath = Annotated[RegionName, Path()]

MAX_REGION_PERIODS = 62
"""The most periods of a region's report: two months by day, a year by week, five years by month."""


def router(resources: Resources) -> APIRouter:
    """The routes of metrics."""
    routes = APIRouter(route_class=GuardedRoute)
    practices = resources.table(Practice).rows

    @routes.get("/practices/{agb}/orders", response_model=OrdersReport)
    @may(Action.REPORTS_READ)
    async def orders(
        caller: CallerOf, agb: PracticePath, first: From = None, last: To = None, by: By = By.DAY
    ) -> Response:
        """Count a practice's orders by period and channel."""
        practice = practices.get(agb)
        region = practice.region if practice else None
        caller.require(About(practice=agb, region=region), "practice")
        span = _span(first, last, by)
        async with resources.api_pool.acquire() as db:
            totals = await store.totals(db, [agb], span.first, span.last, by)
        return json_response(report(agb, span, totals[agb]))

    @routes.get("/regions/{region}/orders", response_model=RegionReport)
    @may(Action.REPORTS_REGION)
    async def of_region(
        caller: CallerOf, region: RegionPath, first: From = None, last: To = None, by: By = By.DAY
    ) -> Response:
        """Count the orders of a region's practices by period."""
        caller.require(About(region=region), "region")
        span = _span(first, last, by)
        if len(span.periods) > MAX_REGION_PERIODS:
            raise invalid_field(
                "by", f"gives more than {MAX_REGION_PERIODS} periods: ask longer ones"
            )
        own = [practice for practice in practices.values() if practice.region == region]
        async with resources.api_pool.acquire() as db:
            codes = [practice.agb for practice in own]
            totals = await store.totals(db, codes, span.first, span.last, by)
        # In a thread: a large region over years takes a second of processor time.
        shown = await asyncio.to_thread(region_report, region, own, span, totals)
        return json_response(shown)

    return routes


def _span(first: date | None, last: date | None, by: By) -> Span:
    """The days that are asked for: to today, from the first of the month. Raises Problem (422)."""
    until = last or datetime.now(AMSTERDAM).date()
    since = first or until.replace(day=1)
    _check(since, until)
    return Span(since, until, by, tuple(periods(since, until, by)))


def _check(first: date, last: date) -> None:
    """Raise Problem (422) if the range is reversed or too long."""
    if first > last:
        raise _invalid("is after to")
    if (last - first).days >= MAX_DAYS:
        raise _invalid("is more than five years before to")


def _invalid(why: str) -> Problem:
    return invalid_field("from", why)
