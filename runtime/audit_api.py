"""`GET /patients/{patient}/audit`: who looked at a patient's records, and who changed them."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Response

from runtime.http.access import CallerOf, GuardedRoute, may
from runtime.http.requests import Day, PatientPath
from runtime.http.responses import json_response
from runtime.postgres import audit
from runtime.resources import Resources
from schemas.access import Action
from schemas.api.audit import AuditEntryView, AuditView
from schemas.times import AMSTERDAM

Limit = Annotated[int, Query(ge=1, le=1000)]
Before = Annotated[int | None, Query(ge=1, le=2**63 - 1)]

_FIRST, _LAST = date(2000, 1, 1), date(2999, 12, 31)
From = Annotated[Day | None, Query(alias="from", ge=_FIRST, le=_LAST)]
To = Annotated[Day | None, Query(alias="to", ge=_FIRST, le=_LAST)]


def router(resources: Resources) -> APIRouter:
    """The route of a service that holds records of patients.

    A patient sees everything, a practice what was done to its own records.
    `from` and `to` are days in Amsterdam, both included.
    """
    routes = APIRouter(route_class=GuardedRoute)

    @routes.get("/patients/{patient}/audit", response_model=AuditView)
    @may(Action.AUDIT_READ)
    async def trail(
        caller: CallerOf,
        patient: PatientPath,
        first: From = None,
        last: To = None,
        before: Before = None,
        limit: Limit = 100,
    ) -> Response:
        """Show who did what to a patient's records."""
        share = caller.share(patient)
        practices = None if share.everything else share.practices
        since, until = period(first, last)
        async with resources.api_pool.acquire() as db:
            page = await audit.of_patient(db, patient, practices, before, since, until, limit + 1)
        if not page:
            caller.saw_nothing()
        shown, more = page[:limit], len(page) > limit
        entries = [AuditEntryView.model_validate(stored.entry) for stored in shown]
        return json_response(AuditView(entries=entries, next=shown[-1].id if more else None))

    return routes


def period(first: date | None, last: date | None) -> tuple[datetime | None, datetime | None]:
    """The moments (UTC) from which and before which these days in Amsterdam are, both included."""
    return (
        _begin(first) if first else None,
        _begin(last + timedelta(days=1)) if last else None,
    )


def _begin(day: date) -> datetime:
    return datetime.combine(day, time(), AMSTERDAM).astimezone(UTC)
