"""Messages: what was sent to the patient, newest first, and which of it is new."""

import asyncio
from uuid import UUID

from starlette.responses import Response

from portal.web.away import Away, unless_away
from portal.web.pages import Pages
from portal.web.visit import Visit
from schemas.access import Action

SHOWN = 30

pages = Pages()


@pages.get("/patients/{patient}/messages", Action.MESSAGES_READ)
async def messages(visit: Visit) -> Response:
    """The messages, a page at a time."""
    before = _uuid(visit.request.query_params.get("before", ""))
    inbox = await unless_away(visit.api.notification.messages(visit.patient, before, SHOWN))
    template = "patient/messages_part.html" if visit.partial else "patient/messages.html"
    unread = 0 if isinstance(inbox, Away) else inbox.unread
    return await visit.render(template, inbox=inbox, most=SHOWN, unread=unread)


@pages.post("/patients/{patient}/messages/read", Action.MESSAGES_MARK)
async def mark_read(visit: Visit) -> Response:
    """Mark the messages that the page showed as read."""
    shown = [id for each in visit.form.all("message")[:SHOWN] if (id := _uuid(each)) is not None]
    await asyncio.gather(*(visit.api.notification.mark_read(visit.patient, each) for each in shown))
    return visit.redirect(f"/patients/{visit.patient}/messages")


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
