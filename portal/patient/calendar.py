"""The moment to collect as a calendar file (iCalendar, RFC 5545). It names no medicine, as others see it."""

from collections.abc import Sequence
from datetime import UTC

from icalendar import Calendar, Event, vText
from starlette.responses import Response

from herhaal_client import NotFound
from portal.patient.orders import messages_of, nothing_to_collect, order_in_path
from portal.web.languages import mark
from portal.web.pages import Pages
from portal.web.visit import Visit
from schemas.access import Action
from schemas.api.notification import MessageView
from schemas.api.ordering import OrderView
from schemas.reasons import Language

SUMMARY = mark("Collect medicines")

pages = Pages()


@pages.get("/patients/{patient}/orders/{order_id}/collect.ics", Action.MESSAGES_READ)
async def collect(visit: Visit) -> Response:
    """The newest promise of an order. A moved or cancelled one replaces the event before it."""
    found = await order_in_path(visit)
    promises = [
        each for each in await messages_of(visit, found.order_id) if each.pickup is not None
    ]
    if not isinstance(found, OrderView) or not promises:
        raise NotFound("pickup", "not-found", status=404)
    content = calendar(found, promises, visit.translate(SUMMARY), visit.language)
    headers = {"Content-Disposition": 'attachment; filename="collect.ics"'}
    return Response(content, headers=headers, media_type="text/calendar; charset=utf-8")


def calendar(
    order: OrderView, promises: Sequence[MessageView], summary: str, language: Language
) -> bytes:
    """Write the event of an order: always the same UID, a number that rises with each change, times in UTC.

    `promises` are the messages with a pickup window, newest first; there is at least one.
    """
    newest = promises[0]
    assert newest.pickup is not None
    place = newest.pickup.pharmacy
    cancelled = nothing_to_collect(order)
    event = Event()
    event.add("uid", f"{order.order_id}@herhaal")
    event.add("sequence", len(promises) - 1 + cancelled)
    event.add("dtstamp", newest.at.astimezone(UTC))
    event.add("dtstart", newest.pickup.from_.astimezone(UTC))
    event.add("dtend", newest.pickup.until.astimezone(UTC))
    event.add("summary", vText(summary, params={"LANGUAGE": language}))
    event.add("location", f"{place.name}, {place.address}, {place.city}")
    event.add("status", "CANCELLED" if cancelled else "CONFIRMED")
    made = Calendar()
    made.add("prodid", "-//herhaal//portal//NL")
    made.add("version", "2.0")
    made.add("method", "CANCEL" if cancelled else "PUBLISH")
    made.add_component(event)
    written: bytes = made.to_ical()
    return written
