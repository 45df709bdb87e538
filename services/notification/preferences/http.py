"""Preferences over HTTP: a patient, or who stands in, reads and changes them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Response

from runtime.http.access import CallerOf, may
from runtime.http.caller import About, Caller
from runtime.http.problems import invalid_field
from runtime.http.requests import PatientPath, documented, json_body
from runtime.http.responses import json_response
from runtime.resources import Resources
from schemas.access import Action
from schemas.api.preferences import Preferences
from schemas.records.directory import Pharmacy
from services.notification.people.erased import require_not_erased
from services.notification.preferences import store


class PreferencesApi:
    """Shows and changes what patients prefer; `pharmacies` are those of the directory."""

    def __init__(self, resources: Resources, pharmacies: Mapping[str, Pharmacy]) -> None:
        self._resources = resources
        self._pharmacies = pharmacies

    async def show(self, caller: Caller, patient: str) -> Response:
        """Show what a patient prefers. Problem (404) when the caller may not see it."""
        caller.require(About(patient=patient), "patient")
        async with self._resources.api_pool.acquire() as db:
            return json_response(await store.preferences(db, patient))

    async def change(self, caller: Caller, patient: str, wanted: Preferences) -> Response:
        """Replace what a patient prefers.

        Raises:
            Problem: 404, the caller may not, or the person was erased; 422, the pharmacy is unknown.
        """
        caller.require(About(patient=patient), "patient")
        if wanted.pharmacy is not None and wanted.pharmacy not in self._pharmacies:
            raise invalid_field("pharmacy", "is not in the directory")
        async with self._resources.api_pool.acquire() as db, db.transaction():
            await require_not_erased(db, patient, "patient")
            await store.save(db, patient, wanted, datetime.now(UTC))
            await self._resources.audit.append(db, caller.entries())
        return json_response(wanted)


def add_routes(routes: APIRouter, api: PreferencesApi) -> None:
    """Add the routes of preferences."""

    @routes.get("/patients/{patient}/preferences", response_model=Preferences)
    @may(Action.PREFERENCES_READ)
    async def show(caller: CallerOf, patient: PatientPath) -> Response:
        """Show what a patient chose: language and pharmacy."""
        return await api.show(caller, patient)

    @routes.put(
        "/patients/{patient}/preferences",
        openapi_extra=documented(Preferences),
        response_model=Preferences,
    )
    @may(Action.PREFERENCES_WRITE)
    async def change(
        caller: CallerOf,
        patient: PatientPath,
        wanted: Annotated[Preferences, Depends(json_body(Preferences))],
    ) -> Response:
        """Choose a patient's language and pharmacy."""
        return await api.change(caller, patient, wanted)
