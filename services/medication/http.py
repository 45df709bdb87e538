"""medication's JSON API. A write becomes a Kafka record; the loop decides it."""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, Header, Response

from runtime.http.access import CallerOf, GuardedRoute, may
from runtime.http.caller import About, Caller
from runtime.http.long_poll import LongPoll
from runtime.http.problems import Problem, not_found, unavailable
from runtime.http.requests import (
    PatientPath,
    PreferWait,
    PrkPath,
    Traceparent,
    documented,
    json_body,
)
from runtime.http.responses import json_response
from runtime.kafka.producer import NotPublished
from runtime.messages.cloudevents import outgoing
from runtime.messages.digest import digest_of
from runtime.resources import Resources
from schemas import topics
from schemas.access import Action
from schemas.api.medication import ChangeReceivedView, OverviewRequest, StatusRequest
from schemas.base import Actor
from schemas.records.medication import MedicationOverview
from services.medication import store
from services.medication.domain.overview import Command
from services.medication.store import AppliedOverview, OverviewJson
from services.medication.views import import_command, require_same, status_command

SOURCE = "nl.herhaal/medication/http"

IfNoneMatch = Annotated[str | None, Header()]

ChangeKey = tuple[str, UUID]
"""(patient, change id)."""


class MedicationApi:
    """Accepts changes, publishes them to Kafka, and shows overviews."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._applied: LongPoll[ChangeKey, AppliedOverview] = LongPoll(self._find)

    async def replace_overview(
        self,
        caller: Caller,
        patient: str,
        request: OverviewRequest,
        wait_s: float,
        traceparent: str | None,
    ) -> Response:
        """Import an overview: 202 once Kafka acknowledged it, 200 if it is applied within `wait_s` (seconds).

        Raises:
            Problem: 403, somebody else imports it; 404, not this practice's; 409, another change has this
                change id; 422, body and path disagree, or a system names nobody; 503, Kafka did not
                acknowledge the import.
        """
        require_same("patient", patient, request.patient)
        caller.require(About(practice=request.practice), "practice")
        command = import_command(patient, request, caller.acting(Actor, request.by, "by"))
        caller.trace.thing = f"{command.change_id}"
        await self._refuse_conflict(command)
        return await self._accept(caller, command, wait_s, traceparent)

    async def set_status(
        self,
        caller: Caller,
        patient: str,
        prk: str,
        request: StatusRequest,
        wait_s: float,
        traceparent: str | None,
    ) -> Response:
        """Set a status: as `replace_overview`, and Problem (404) without this medicine in an overview."""
        require_same("patient", patient, request.patient)
        require_same("prk", prk, request.prk)
        current = await self._current(caller, patient)
        command = status_command(patient, prk, request, caller.acting(Actor, request.by, "by"))
        overview = MedicationOverview.model_validate_json(current.body)
        if all(entry.prk != command.prk for entry in overview.medications):
            raise not_found("medicine in this overview")
        await self._refuse_conflict(command)
        return await self._accept(caller, command, wait_s, traceparent)

    async def show(self, caller: Caller, patient: str, if_none_match: str | None) -> Response:
        """Show the current overview; 304 if the client has this version, Problem (404) if there is none."""
        shown = await self._current(caller, patient)
        if if_none_match is not None and _matches(if_none_match, _etag(shown)):
            return Response(status_code=304, headers=_caching(shown))
        return _overview(shown)

    async def _accept(
        self, caller: Caller, command: Command, wait_s: float, traceparent: str | None
    ) -> Response:
        await self._resources.audit.write(caller.entries())
        await self._send(caller, command, traceparent)
        location = {"Location": f"/patients/{command.patient}/overview"}
        key = (command.patient, command.change_id)
        applied = await self._applied.wait(key, wait_s) if wait_s else None
        if applied is None:
            return json_response(ChangeReceivedView(change_id=command.change_id), 202, location)
        if applied.digest != digest_of(command):
            # Another change with this id was on its way already, and was applied first.
            raise _conflict()
        return _overview(applied.shown, **location, **{"Preference-Applied": "wait"})

    async def _refuse_conflict(self, command: Command) -> None:
        """Raise Problem (409) if another change is applied under this id."""
        key = (command.patient, command.change_id)
        async with self._resources.api_pool.acquire() as db:
            applied = (await store.applied(db, [key])).get(key)
        if applied is not None and applied != digest_of(command):
            raise _conflict()

    async def _current(self, caller: Caller, patient: str) -> OverviewJson:
        """The overview. Raises Problem (404) when there is none, or none that the caller may see."""
        async with self._resources.api_pool.acquire() as db:
            shown = await store.overview(db, patient)
        if shown is None or not caller.may(About(patient=patient, practice=shown.practice)):
            raise not_found("overview")
        return shown

    async def _send(self, caller: Caller, command: Command, traceparent: str | None) -> None:
        record = outgoing(
            topics.MEDICATION_CHANGES.name,
            command,
            key=command.patient,
            id=str(uuid4()),
            source=SOURCE,
            subject=command.patient,
            at=datetime.now(UTC),
            traceparent=traceparent,
            through=caller.system,
        )
        try:
            await self._resources.sender.send(record)
        except NotPublished:
            raise unavailable("The change could not be taken; please send it again.") from None

    async def _find(self, changes: Collection[ChangeKey]) -> dict[ChangeKey, AppliedOverview]:
        async with self._resources.api_pool.acquire() as db:
            return await store.applied_overviews(db, changes)


def router(resources: Resources) -> APIRouter:
    """The routes of medication."""
    api = MedicationApi(resources)
    routes = APIRouter(route_class=GuardedRoute)
    answers: dict[int | str, dict[str, Any]] = {
        200: {"model": MedicationOverview},
        202: {"model": ChangeReceivedView},
    }

    @routes.put(
        "/patients/{patient}/overview",
        status_code=202,
        openapi_extra=documented(OverviewRequest),
        responses=answers,
    )
    @may(Action.OVERVIEW_IMPORT)
    async def replace_overview(
        caller: CallerOf,
        patient: PatientPath,
        request: Annotated[OverviewRequest, Depends(json_body(OverviewRequest))],
        wait_s: PreferWait,
        traceparent: Traceparent,
    ) -> Response:
        """Replace a patient's medication overview."""
        return await api.replace_overview(caller, patient, request, wait_s, traceparent)

    @routes.put(
        "/patients/{patient}/medications/{prk}/status",
        status_code=202,
        openapi_extra=documented(StatusRequest),
        responses=answers,
    )
    @may(Action.STATUS_SET)
    async def set_status(
        caller: CallerOf,
        patient: PatientPath,
        prk: PrkPath,
        request: Annotated[StatusRequest, Depends(json_body(StatusRequest))],
        wait_s: PreferWait,
        traceparent: Traceparent,
    ) -> Response:
        """Set the status of one medicine."""
        return await api.set_status(caller, patient, prk, request, wait_s, traceparent)

    @routes.get("/patients/{patient}/overview", response_model=MedicationOverview)
    @may(Action.OVERVIEW_READ)
    async def show(
        caller: CallerOf, patient: PatientPath, if_none_match: IfNoneMatch = None
    ) -> Response:
        """Show a patient's medication overview."""
        return await api.show(caller, patient, if_none_match)

    return routes


def _conflict() -> Problem:
    return Problem(409, "change-conflict", "Another change has this change_id already.")


def _overview(shown: OverviewJson, **headers: str) -> Response:
    return Response(shown.body, 200, {**_caching(shown), **headers}, media_type="application/json")


def _caching(shown: OverviewJson) -> dict[str, str]:
    return {"ETag": _etag(shown), "Cache-Control": "private, no-cache"}


def _etag(shown: OverviewJson) -> str:
    return f'"{shown.version}"'


def _matches(if_none_match: str, etag: str) -> bool:
    """Tell whether `If-None-Match` names this ETag, by weak comparison (RFC 9110, 13.1.2)."""
    tags = {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
    return etag in tags or "*" in tags
