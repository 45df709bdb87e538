"""Proxies over HTTP: who stands in for whom is seen from both sides, granted, and taken back."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response

from runtime.http.access import CallerOf, may
from runtime.http.caller import About, Caller
from runtime.http.problems import invalid_field, not_found, unavailable
from runtime.http.requests import PatientPath, documented, json_body
from runtime.http.responses import json_response
from runtime.kafka.producer import NotPublished
from runtime.postgres.connection import Connection
from runtime.resources import Resources
from schemas.access import Action, Party
from schemas.api.proxies import (
    ConsentBy,
    ProxiesView,
    ProxyId,
    ProxyKind,
    ProxyRequest,
    ProxyView,
    StandsInForView,
    StandsInView,
)
from schemas.base import Actor
from services.notification.people import store
from services.notification.people.domain.ends import Refused
from services.notification.people.keys import Erased
from services.notification.people.proxies import NoProxy, Note, Proxies, kind_of

ProxyPath = Annotated[ProxyId, Path()]

_FIELDS = {
    Refused.OLD_ENOUGH: "kind",
    Refused.NOT_ASKED: "consent.by",
    Refused.ENDED: "until",
    Refused.NOT_YET: "consent.on",
}


class ProxiesApi:
    """Shows, grants and revokes proxies."""

    def __init__(self, resources: Resources, proxies: Proxies) -> None:
        self._resources = resources
        self._proxies = proxies

    async def of_patient(self, caller: Caller, patient: str) -> Response:
        """Show who stands in for a patient; a proxy sees only itself. Problem (404) as for no person."""
        async with self._resources.api_pool.acquire() as db:
            await _require(db, caller, patient)
            try:
                proxies = await self._proxies.of_patient(db, patient)
            except Erased:
                raise not_found("person") from None
        shown = [each for each in proxies if _sees(caller, each.proxy)]
        if not shown:
            caller.saw_nothing()
        return json_response(ProxiesView(proxies=shown))

    async def of_proxy(self, caller: Caller, proxy: str) -> Response:
        """Show for whom somebody stands in, as far as the caller may know."""
        async with self._resources.api_pool.acquire() as db:
            rows = await self._proxies.of_proxy(db, proxy) if _sees(caller, proxy) else []
        shown = [
            StandsInView(patient=row.patient, kind=kind_of(row), until=row.until)
            for row in rows
            if caller.allows(About(patient=row.patient, practice=row.practice))
        ]
        caller.saw(one.patient for one in shown)
        if not shown:
            caller.saw_nothing()
        return json_response(StandsInForView(patients=shown))

    async def grant(
        self, caller: Caller, patient: str, proxy: str, request: ProxyRequest
    ) -> Response:
        """Let somebody stand in for a patient.

        Raises:
            Problem: 403, in another's name; 404, as for no person; 422, the law, the dates or the caller's role
                do not allow it; 503, it may not count yet: to be sent again.
        """
        async with self._resources.api_pool.acquire() as db:
            await _require(db, caller, patient)
            by = caller.acting(Actor, request.by, "by")
            _require_own_wish(caller, request)
            try:
                view = await self._proxies.grant(
                    db, patient, proxy, request, by, self._note(caller)
                )
            except NoProxy as no:
                raise invalid_field(_FIELDS[no.refused], no.refused) from None
            except Erased:
                raise not_found("person") from None
            except NotPublished:
                raise unavailable("It may not count yet; please send it again.") from None
        return json_response(view)

    async def revoke(self, caller: Caller, patient: str, proxy: str) -> Response:
        """Take a grant back, if there is one.

        Raises:
            Problem: 404, as for no person, and for a proxy about another proxy; 503, to be sent again.
        """
        async with self._resources.api_pool.acquire() as db:
            await _require(db, caller, patient)
            if not _sees(caller, proxy):
                raise not_found("person")
            try:
                await self._proxies.revoke(db, patient, proxy, self._note(caller))
            except NotPublished:
                raise unavailable("It may count still; please send it again.") from None
        return Response(status_code=204)

    def _note(self, caller: Caller) -> Note:
        return lambda db: self._resources.audit.append(db, caller.entries())


def add_routes(routes: APIRouter, api: ProxiesApi) -> None:
    """Add the routes of proxies."""

    @routes.get("/patients/{patient}/proxies", response_model=ProxiesView)
    @may(Action.PROXIES_READ)
    async def of_patient(caller: CallerOf, patient: PatientPath) -> Response:
        """List who may act for a patient."""
        return await api.of_patient(caller, patient)

    @routes.get("/proxies/{proxy}/patients", response_model=StandsInForView)
    @may(Action.PROXIES_READ)
    async def of_proxy(caller: CallerOf, proxy: ProxyPath) -> Response:
        """List for whom somebody may act."""
        return await api.of_proxy(caller, proxy)

    @routes.put(
        "/patients/{patient}/proxies/{proxy}",
        openapi_extra=documented(ProxyRequest),
        response_model=ProxyView,
    )
    @may(Action.PROXIES_GRANT)
    async def grant(
        caller: CallerOf,
        patient: PatientPath,
        proxy: ProxyPath,
        request: Annotated[ProxyRequest, Depends(json_body(ProxyRequest))],
    ) -> Response:
        """Let somebody act for a patient."""
        return await api.grant(caller, patient, proxy, request)

    @routes.delete("/patients/{patient}/proxies/{proxy}", status_code=204)
    @may(Action.PROXIES_REVOKE)
    async def revoke(caller: CallerOf, patient: PatientPath, proxy: ProxyPath) -> Response:
        """End that somebody acts for a patient."""
        return await api.revoke(caller, patient, proxy)


async def _require(db: Connection, caller: Caller, patient: str) -> None:
    """Raise Problem (404) when there is no such person, or not for this caller."""
    row = await store.person(db, patient)
    caller.require(About(patient=patient, practice=row.practice if row else None), "person")
    if row is None or row.sealed is None:
        raise not_found("person")


def _sees(caller: Caller, proxy: str) -> bool:
    """Tell whether the caller may know of this proxy: one proxy may not know of another."""
    return caller.claims.role is not Party.PROXY or caller.claims.sub == proxy


def _require_own_wish(caller: Caller, request: ProxyRequest) -> None:
    """A patient says who may stand in for them; a parent or a court shows it to the practice."""
    if caller.claims.role is not Party.PATIENT:
        return
    if request.kind is not ProxyKind.AUTHORISED:
        raise invalid_field("kind", "must be authorised: a practice grants the others")
    if request.consent.by is not ConsentBy.PATIENT:
        raise invalid_field("consent.by", "must be patient")
