"""A client of server-sent events."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import orjson

MARKS = ("ready", "reset")
"""Events that end what was missed."""

NO_END = httpx.Timeout(40, read=None)


@dataclass(frozen=True)
class Event:
    """One event as it was received."""

    name: str
    id: str
    data: Any


class Stream:
    """An open stream, or the answer that refuses one."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self.heartbeats = 0
        self._lines = answer.aiter_lines()

    async def next(self, within_s: float = 10) -> Event | None:
        """The next event; None at the end of the stream. Raises TimeoutError."""
        fields: dict[str, str] = {}
        async with asyncio.timeout(within_s):
            async for line in self._lines:
                if line.startswith(":"):
                    self.heartbeats += 1
                elif line:
                    name, _, value = line.partition(": ")
                    fields[name] = value
                elif fields:
                    return Event(fields["event"], fields["id"], orjson.loads(fields["data"]))
        return None

    async def begin(self, within_s: float = 10) -> list[Event]:
        """What was missed, and the mark that ends it."""
        events: list[Event] = []
        while not events or events[-1].name not in MARKS:
            event = await self.next(within_s)
            assert event is not None, events
            events.append(event)
        return events


@asynccontextmanager
async def stream(
    http: httpx.AsyncClient, url: str, headers: Mapping[str, str] = {}, last_id: str | None = None
) -> AsyncIterator[Stream]:
    """Open a stream, from after `last_id` on where there is one."""
    resume = {} if last_id is None else {"last-event-id": last_id}
    request = {"headers": {**headers, **resume}, "timeout": NO_END}
    async with http.stream("GET", url, **request) as answer:  # type: ignore[arg-type]
        yield Stream(answer)
