"""Server-sent events of a patient, in ordering and notification."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from httpx_sse import ServerSentEvent
from pydantic import TypeAdapter, ValidationError

from herhaal_client.api import Api
from herhaal_client.calls import Call
from herhaal_client.errors import unexpected

_DATA = TypeAdapter(dict[str, Any])


@dataclass(frozen=True)
class ServerEvent:
    """One event: its name, its data, and the opaque id from which the stream can be resumed."""

    event: str
    id: str
    data: dict[str, Any] = field(repr=False)


async def patient_events(
    api: Api, patient: str, last_event_id: str | None
) -> AsyncGenerator[ServerEvent, None]:
    """Give a patient's events as they come, after `last_event_id`, until the service ends the stream.

    Raises:
        ApiError: it is refused; Unavailable when the connection breaks, UnexpectedAnswer for what is no event.
    """
    resume = {"Last-Event-ID": last_event_id} if last_event_id else {}
    headers = {"Accept": "text/event-stream", **resume}
    call = Call("GET", "/patients/{patient}/events", {"patient": patient}, headers=headers)
    async with aclosing(api.events(call)) as events:
        async for event in events:
            # The library takes a comment after an event with an id for an event; the standard wants data.
            if event.data:
                yield _event(call, event)


def _event(call: Call, sent: ServerSentEvent) -> ServerEvent:
    data = _data(sent.data)
    if data is None:
        raise unexpected(call.asked, None, "An event's data are no JSON object.")
    return ServerEvent(sent.event, sent.id, data)


def _data(text: str) -> dict[str, Any] | None:
    try:
        return _DATA.validate_json(text)
    except ValidationError:
        return None
