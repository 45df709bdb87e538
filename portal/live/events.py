"""`GET /events`: one stream for all open pages of a browser."""

import asyncio

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from portal.live.open_streams import OpenStreams
from portal.live.relay import MOST_WAITING, Follower, Relay
from portal.session import cookies
from portal.session.sessions import Session
from portal.web.site import Site
from runtime.errors import is_transient
from schemas.access import Party

MOST_PATIENTS = 8
"""Whom one follows at once: a service lets a person have 20 streams."""

_OVER = b"event: over\ndata: {}\n\n"


def route(site: Site, open_streams: OpenStreams) -> Route:
    """The route of the stream."""

    async def events(request: Request) -> Response:
        id = cookies.read(request, cookies.SESSION) or ""

        async def find() -> Session | None:
            # A stream is no use of a session: it would never end.
            found = await site.sessions.find(id, in_use=False)
            return found if isinstance(found, Session) else None

        try:
            session = await find()
        except Exception as error:
            if not is_transient(error):
                raise
            return PlainTextResponse("", 503)
        if session is None:
            return Response(_OVER, media_type="text/event-stream")
        if session.claims.role not in (Party.PATIENT, Party.PROXY) or not open_streams.room(id):
            # The page asks now and then instead.
            return PlainTextResponse("", 503)
        follower = Follower(find, site.services.as_bearer, asyncio.Queue(MOST_WAITING))
        patients = session.claims.patients[:MOST_PATIENTS]
        return Relay(follower, patients, lambda: open_streams.opened(id))

    return Route("/events", events)
