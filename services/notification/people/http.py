"""People over HTTP: register, change, read, find. What somebody may not see answers as what does not exist."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Response

from runtime.http.access import CallerOf, may
from runtime.http.caller import About, Caller
from runtime.http.problems import Problem, invalid_field, not_found
from runtime.http.requests import PatientPath, documented, json_body
from runtime.http.responses import json_response
from runtime.postgres.connection import Connection
from runtime.resources import Resources
from schemas.access import Action
from schemas.api.people import (
    FoundPerson,
    FoundView,
    PersonRequest,
    PersonView,
    RegisteredView,
    RegisterRequest,
    SearchRequest,
)
from schemas.base import Actor
from services.notification.people import store
from services.notification.people.keys import Erased
from services.notification.people.people import Known, OtherPerson, OtherPractice, People
from services.notification.people.store import StoredPerson

UNDER_WAY = timedelta(days=30)
"""How long after its approval a prescription counts as under way: pharmacies do not report yet that it was
collected, and keep what nobody collects for two to four weeks.
"""


class PeopleApi:
    """Shows people to who treats them."""

    def __init__(self, resources: Resources, people: People) -> None:
        self._resources = resources
        self._people = people

    async def register(self, caller: Caller, request: RegisterRequest) -> Response:
        """Register or update a patient of a practice.

        Raises:
            Problem: 403, in another's name; 404, not this practice's; 409, BSN, pseudonym and practice
                contradict each other, or the person was erased; 422, a system names no practice or nobody.
        """
        practice = request.practice or caller.claims.practice
        if practice is None:
            raise invalid_field("practice", "is missing: a system names the practice")
        caller.require(About(patient=request.patient, practice=practice), "practice")
        caller.acting(Actor, request.by, "by")
        try:
            async with self._transaction() as db:
                patient = await self._people.register(
                    db, practice, request.person(), request.patient
                )
                caller.saw((patient,))
                await self._resources.audit.append(db, caller.entries())
        except (OtherPerson, OtherPractice, Erased) as error:
            raise _conflict(error) from None
        return json_response(RegisteredView(patient=patient))

    async def change(self, caller: Caller, patient: str, request: PersonRequest) -> Response:
        """Replace a patient's data.

        Raises:
            Problem: 403 and 422 as `register`; 404, not a patient of this practice; 409, the BSN is another's.
        """
        async with self._transaction() as db:
            row = await self._row(db, caller, patient)
            caller.acting(Actor, request.by, "by")
            try:
                await self._people.change(db, row, request.person())
                await self._resources.audit.append(db, caller.entries())
            except OtherPerson as error:
                raise _conflict(error) from None
            except Erased:
                raise not_found("person") from None
        return json_response(RegisteredView(patient=patient))

    async def show(self, caller: Caller, patient: str) -> Response:
        """Show a patient's data; Problem (404) when there are none, or none that the caller may see."""
        async with self._transaction() as db:
            row = await self._row(db, caller, patient)
        person = await self._people.open(row)
        if person is None or row.practice is None:
            raise not_found("person")
        view = PersonView(**dict(person), patient=patient, practice=row.practice)
        return json_response(view)

    async def find(self, caller: Caller, request: SearchRequest) -> Response:
        """Show everybody of the caller's practice who matches."""
        share = caller.share(None)
        caller.trace.purpose = request.why
        async with self._transaction() as db:
            if request.bsn is not None:
                found = await self._people.with_bsn(db, request.bsn, share)
            else:
                assert request.surname is not None
                assert request.birth_date is not None
                found = await self._people.named(db, request.surname, request.birth_date, share)
        shown = [
            _found(known)
            for known in found
            if caller.allows(About(patient=known.patient, practice=known.practice))
        ]
        caller.saw(person.patient for person in shown)
        if not shown:
            caller.saw_nothing()
        return json_response(FoundView(people=shown))

    async def _row(self, db: Connection, caller: Caller, patient: str) -> StoredPerson:
        """The row of a patient. Raises Problem (404) when there is none, or none for this caller."""
        row = await store.person(db, patient)
        own = caller.share(patient).pharmacies
        since = datetime.now(UTC) - UNDER_WAY
        pharmacies = await store.under_way(db, patient, since) if own else ()
        about = About(
            patient=patient,
            practice=row.practice if row else None,
            pharmacy=next((agb for agb in pharmacies if agb in own), None),
        )
        caller.require(about, "person")
        if row is None or row.sealed is None:
            raise not_found("person")
        return row

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[Connection]:
        async with self._resources.api_pool.acquire() as db, db.transaction():
            yield db


def add_routes(routes: APIRouter, api: PeopleApi) -> None:
    """Add the routes of people."""

    @routes.post(
        "/people",
        openapi_extra=documented(RegisterRequest),
        response_model=RegisteredView,
    )
    @may(Action.PEOPLE_WRITE)
    async def register(
        caller: CallerOf,
        request: Annotated[RegisterRequest, Depends(json_body(RegisterRequest))],
    ) -> Response:
        """Register a person. The answer is the pseudonym."""
        return await api.register(caller, request)

    @routes.post(
        "/people/search", openapi_extra=documented(SearchRequest), response_model=FoundView
    )
    @may(Action.PEOPLE_FIND)
    async def find(
        caller: CallerOf,
        request: Annotated[SearchRequest, Depends(json_body(SearchRequest))],
    ) -> Response:
        """Find people by BSN, or by surname and birth date."""
        return await api.find(caller, request)

    @routes.put(
        "/patients/{patient}/person",
        openapi_extra=documented(PersonRequest),
        response_model=RegisteredView,
    )
    @may(Action.PEOPLE_WRITE)
    async def change(
        caller: CallerOf,
        patient: PatientPath,
        request: Annotated[PersonRequest, Depends(json_body(PersonRequest))],
    ) -> Response:
        """Change a person's details."""
        return await api.change(caller, patient, request)

    @routes.get("/patients/{patient}/person", response_model=PersonView)
    @may(Action.PEOPLE_READ)
    async def show(caller: CallerOf, patient: PatientPath) -> Response:
        """Show who a patient is."""
        return await api.show(caller, patient)


def _found(known: Known) -> FoundPerson:
    person = known.person
    return FoundPerson(
        patient=known.patient,
        initials=person.initials,
        prefix=person.prefix,
        surname=person.surname,
        partner_surname=person.partner_surname,
        birth_date=person.birth_date,
        street=person.street,
        house_number=person.house_number,
        postcode=person.postcode,
        city=person.city,
    )


def _conflict(error: Exception) -> Problem:
    match error:
        case OtherPerson():
            return Problem(409, "other-person", "This BSN is known under another pseudonym.")
        case OtherPractice():
            return Problem(
                409, "other-practice", "This pseudonym is of another practice's patient."
            )
        case _:
            return Problem(409, "erased", "This person was erased; register them anew.")
