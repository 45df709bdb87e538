"""`GET /patients/{patient}/events`: what happens to a patient's orders or messages, as it happens."""

from collections.abc import Callable
from dataclasses import dataclass
from resource import RLIM_INFINITY, RLIMIT_NOFILE, getrlimit
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request
from pydantic import BaseModel

from runtime.http.access import CallerOf, Door, GuardedRoute, may
from runtime.http.caller import About, Caller
from runtime.http.event_stream import MEDIA_TYPE, EventStream
from runtime.http.problems import RETRY_AFTER_S, Problem, not_found
from runtime.http.requests import PatientPath
from runtime.http.tokens import Verified
from runtime.messages.recent import READY, RESET, LiveEvent, Recent
from schemas.access import SYSTEM_KINDS, Action, Claims
from schemas.api.live import StreamMark
from schemas.topics import Topic

MOST_STREAMS = 5000
"""Open streams of a process, if it may open twice as many files."""

MOST_OF_PERSON = 20
"""Open streams of one person in a process: a browser needs one."""

LastId = Annotated[str | None, Header(alias="Last-Event-ID")]


@dataclass(frozen=True)
class Live:
    """What a service tells at once: the events named `event` that `read` makes of the bodies on `topic`.

    `body` is the model of their data.
    """

    topic: Topic
    action: Action
    event: str
    read: Callable[[Any], LiveEvent | None]
    body: type[BaseModel]


@dataclass
class StreamRights:
    """What the bearer of a token may see of a patient, as of now."""

    door: Door
    verified: Verified
    action: Action
    patient: str

    def caller(self) -> Caller:
        """Who bears the token. Raises Problem, 401 or 404, once it gives nothing of the patient."""
        caller = self.door.caller_now(self.verified, self.action)
        if not caller.reaches(self.patient):
            raise not_found("patient")
        return caller

    def left_s(self) -> float:
        """Seconds until the token expires; 0 once it gives nothing."""
        try:
            caller = self.caller()
        except Problem:
            return 0
        return self.verified.expires_at - caller.now.timestamp()

    def cover(self, event: LiveEvent) -> bool:
        """Tell whether it is of an order that the bearer may see."""
        about = About(self.patient, event.practice, event.pharmacy)
        return event in (READY, RESET) or self.caller().allows(about)


def router(recent: Recent, live: Live) -> APIRouter:
    """The route of a service that tells what happens."""
    routes = APIRouter(route_class=GuardedRoute)

    @routes.get(
        "/patients/{patient}/events",
        status_code=200,
        response_class=EventStream,
        responses={200: _documented(live)},
    )
    @may(live.action)
    async def events(
        request: Request, caller: CallerOf, patient: PatientPath, last_id: LastId = None
    ) -> EventStream:
        """Tell what happens to a patient's orders or messages, as server-sent events."""
        door: Door = request.app.state.door
        rights = StreamRights(door, await door.verified(request), live.action, patient)
        rights.caller()
        require_room(recent, caller.claims, _most_streams())
        await recent.ready()
        if last_id is not None:
            await recent.reached(patient, last_id)
        return EventStream(lambda: recent.watch(patient, caller.claims.sub, last_id), rights)

    return routes


def _documented(live: Live) -> dict[str, Any]:
    """Describe the events; `itemSchema` is OpenAPI 3.2's."""
    bodies = [body.model_json_schema() for body in (live.body, StreamMark)]
    data = {"contentMediaType": "application/json", "contentSchema": {"anyOf": bodies}}
    properties = {
        "event": {"enum": [live.event, READY.name, RESET.name]},
        "id": {"type": "string"},
        "data": {"type": "string", **data},
    }
    item = {"type": "object", "properties": properties}
    about = (
        "Server-sent events, each with an id to resume from. A stream begins with what was missed"
        " since `Last-Event-ID`, and then `ready`; or with `reset`: something may be missing."
    )
    return {"description": about, "content": {MEDIA_TYPE: {"itemSchema": item}}}


def require_room(recent: Recent, claims: Claims, most: int) -> None:
    """Raise a 503 when there are `most` streams, a 429 when a person has too many of them."""
    wait = {"Retry-After": str(RETRY_AFTER_S)}
    if recent.watched >= most:
        raise Problem(503, "overloaded", "Too many streams; please try again soon.", headers=wait)
    is_person = claims.role not in SYSTEM_KINDS
    if is_person and recent.watched_by(claims.sub) >= MOST_OF_PERSON:
        detail = "You have too many streams open."
        raise Problem(429, "too-many-streams", detail, headers=wait)


def _most_streams() -> int:
    files, _ = getrlimit(RLIMIT_NOFILE)
    return MOST_STREAMS if files == RLIM_INFINITY else min(MOST_STREAMS, files // 2)
