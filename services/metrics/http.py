"""metrics' JSON API: reading only."""

import re
from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from pydantic import BeforeValidator

from runtime.problems import Problem
from runtime.responses import json_response
from runtime.service import Resources
from schemas.base import PracticeAgb
from services.metrics import store
from services.metrics.domain.counting import AMSTERDAM
from services.metrics.domain.periods import By, periods
from services.metrics.views import OrdersReport, report

MAX_DAYS = 5 * 366
"""Five years: as long as the events themselves are kept."""

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def _only_days(text: object) -> object:
    # Left to itself pydantic also takes a number of seconds since 1970.
    if isinstance(text, str) and not _DAY.fullmatch(text):
        raise ValueError("must be a day, YYYY-MM-DD")
    return text


Day = Annotated[date, BeforeValidator(_only_days)]
PracticePath = Annotated[PracticeAgb, Path()]
From = Annotated[Day | None, Query(alias="from")]
To = Annotated[Day | None, Query(alias="to")]


def router(resources: Resources) -> APIRouter:
    """The routes of metrics."""
    routes = APIRouter()

    @routes.get("/practices/{agb}/orders", response_model=OrdersReport)
    async def orders(
        agb: PracticePath, first: From = None, last: To = None, by: By = By.DAY
    ) -> Response:
        until = last or datetime.now(AMSTERDAM).date()
        since = first or until.replace(day=1)
        _check(since, until)
        async with resources.pool.acquire() as db:
            found = await store.totals(db, agb, since, until, by)
        asked = periods(since, until, by)
        return json_response(report(agb, since, until, by, asked, found))

    return routes


def _check(first: date, last: date) -> None:
    """Raises Problem (422) when there is no such range, or it is too long to show."""
    if first > last:
        raise _refused("is after to")
    if (last - first).days >= MAX_DAYS:
        raise _refused("is more than five years before to")


def _refused(why: str) -> Problem:
    errors = [{"field": "from", "reason": why}]
    return Problem(422, "invalid", "The request is not valid.", errors)
