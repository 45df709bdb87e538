"""Server-sent events (WHATWG HTML): an answer that goes on until its client leaves or its rights end."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

from fastapi import Response
from starlette.types import Message, Receive, Scope, Send

from runtime.messages.recent import LiveEvent, Position, Watch

MEDIA_TYPE = "text/event-stream"

HEARTBEAT_S = 15.0
"""After so long without an event a comment is sent, and the rights are asked."""

SEND_S = 15.0
"""How long a client may take nothing of what is sent."""

_HEARTBEAT = b":\n\n"


class Rights(Protocol):
    """What the client of a stream may see, as of now."""

    def left_s(self) -> float:
        """Seconds until they end by themselves; 0 once they have ended."""

    def cover(self, event: LiveEvent) -> bool:
        """Tell whether the client may see this event."""


class EventStream(Response):
    """Sends what a watch, opened with the answer, is told. Never raises for a client that does not read."""

    media_type = MEDIA_TYPE

    def __init__(
        self,
        watch: Callable[[], AbstractContextManager[Watch]],
        rights: Rights,
        *,
        heartbeat_s: float = HEARTBEAT_S,
        send_s: float = SEND_S,
    ) -> None:
        # Not the base class's: it would declare an empty body.
        self.status_code = 200
        self.background = None
        self.init_headers({"cache-control": "no-store", "x-accel-buffering": "no"})
        self._watch = watch
        self._rights = rights
        self._heartbeat_s = heartbeat_s
        self._send_s = send_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def in_time(message: Message) -> None:
            async with asyncio.timeout(self._send_s):
                await send(message)

        with self._watch() as watch:
            leaving = asyncio.create_task(_end_with_client(receive, watch))
            try:
                await in_time(_start(self))
                await self._follow(watch, in_time)
                await in_time(_body(b"", more=False))
            except TimeoutError:
                # The client takes nothing: the server closes the connection of an answer without an end.
                return
            finally:
                leaving.cancel()

    async def _follow(self, watch: Watch, send: Send) -> None:
        """Send events and heartbeats until the watch or the rights end."""
        while not watch.ended and (left_s := self._rights.left_s()) > 0:
            if (told := watch.next()) is not None:
                position, event = told
                if self._rights.cover(event):
                    await send(_body(frame(position, event)))
            elif not await watch.woken(min(left_s, self._heartbeat_s)):
                await send(_body(_HEARTBEAT))


def frame(position: Position, event: LiveEvent) -> bytes:
    """Write an event; its data are one line."""
    return b"event: %s\nid: %s\ndata: %s\n\n" % (
        event.name.encode(),
        str(position).encode(),
        event.data,
    )


def begins_stream(message: Message) -> bool:
    """Tell whether this is the head of an event stream."""
    if message["type"] != "http.response.start":
        return False
    return any(
        name == b"content-type" and value.startswith(MEDIA_TYPE.encode())
        for name, value in message.get("headers", ())
    )


async def _end_with_client(receive: Receive, watch: Watch) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    watch.end()


def _start(response: Response) -> Message:
    return {
        "type": "http.response.start",
        "status": response.status_code,
        "headers": response.raw_headers,
    }


def _body(content: bytes, *, more: bool = True) -> Message:
    return {"type": "http.response.body", "body": content, "more_body": more}
