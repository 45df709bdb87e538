"""notification's JSON API: a patient's inbox, and who a patient is."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response

from runtime.http.access import CallerOf, GuardedRoute, may
from runtime.http.caller import About, Caller
from runtime.http.problems import Problem, invalid_field, not_found
from runtime.http.requests import PatientPath
from runtime.http.responses import json_response
from runtime.resources import Resources
from schemas.access import Action
from schemas.api.notification import MessagesView
from schemas.records.directory import Pharmacy
from services.notification import reads_store, store
from services.notification.people import http as people_http
from services.notification.people import proxy_http
from services.notification.people.erased import require_not_erased
from services.notification.people.http import PeopleApi
from services.notification.people.keys import PatientKeys
from services.notification.people.people import People
from services.notification.people.proxies import Proxies
from services.notification.people.proxy_http import ProxiesApi
from services.notification.preferences import http as preferences_http
from services.notification.preferences.http import PreferencesApi
from services.notification.settings import NotificationSettings
from services.notification.texts import Texts
from services.notification.views import message_view

Limit = Annotated[int, Query(ge=0, le=200)]
"""With 0 the answer only says how many messages are unread."""

MessagePath = Annotated[UUID, Path()]


class NotificationApi:
    """Shows patients their messages."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._texts = Texts()

    async def messages(
        self, caller: Caller, patient: str, before: UUID | None, limit: int
    ) -> Response:
        """Show a page of a patient's inbox, newest first: the messages that the caller may see.

        Raises:
            Problem: 422, `before` is not a message of this patient, or none that the caller may see.
        """
        share = caller.share(patient)
        # In one transaction: a rebuild that switches between the two queries would renumber the messages.
        async with self._resources.api_pool.acquire() as db, db.transaction(readonly=True):
            position = None
            if before is not None:
                position = await store.inbox_position(db, patient, share, before)
                if position is None:
                    raise _unknown_message()
            page = await store.messages(db, patient, share, position, limit)
            unread = await reads_store.unread(db, patient, share)
        if not page and not unread:
            caller.saw_nothing()
        views = [message_view(message, read_at, self._texts) for message, read_at in page]
        return json_response(MessagesView(messages=views, unread=unread))

    async def mark_read(self, caller: Caller, patient: str, message_id: UUID) -> Response:
        """Note that a message was read; again changes nothing.

        Raises:
            Problem: 404, the patient has no such message, or none that the caller may mark, or was erased.
        """
        caller.require(About(patient=patient), "message")
        async with self._resources.api_pool.acquire() as db, db.transaction():
            await require_not_erased(db, patient, "message")
            if not await reads_store.mark(db, patient, message_id, datetime.now(UTC)):
                raise not_found("message")
            await self._resources.audit.append(db, caller.entries())
        return Response(status_code=204)


def router(resources: Resources) -> APIRouter:
    """The routes of notification."""
    api = NotificationApi(resources)
    routes = APIRouter(route_class=GuardedRoute)

    @routes.get("/patients/{patient}/messages", response_model=MessagesView)
    @may(Action.MESSAGES_READ)
    async def messages(
        caller: CallerOf, patient: PatientPath, before: UUID | None = None, limit: Limit = 50
    ) -> Response:
        """List a patient's messages, newest first."""
        return await api.messages(caller, patient, before, limit)

    @routes.put("/patients/{patient}/messages/{message_id}/read", status_code=204)
    @may(Action.MESSAGES_MARK)
    async def mark_read(
        caller: CallerOf, patient: PatientPath, message_id: MessagePath
    ) -> Response:
        """Mark a message as read."""
        return await api.mark_read(caller, patient, message_id)

    pharmacies = resources.table(Pharmacy).rows
    preferences_http.add_routes(routes, PreferencesApi(resources, pharmacies))
    people = _people(resources)
    people_http.add_routes(routes, PeopleApi(resources, people))
    proxy_http.add_routes(routes, ProxiesApi(resources, Proxies(people, resources.sender)))
    return routes


def _people(resources: Resources) -> People:
    settings = resources.settings
    assert isinstance(settings, NotificationSettings)
    return People(settings.keys, PatientKeys(settings.people_keys, settings.keys))


def _unknown_message() -> Problem:
    return invalid_field("before", "no message of this patient")
