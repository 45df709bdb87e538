"""Passes news on to one browser: two streams of the services for each patient become one."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AbstractContextManager, aclosing
from dataclasses import dataclass

import orjson
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from herhaal_client import ApiError, Clients, NotFound, ServerEvent, Unauthorized
from portal.live.open_streams import Ending
from portal.session.sessions import Session
from runtime.backoff import Backoff

HEARTBEAT_S = 15.0
SEND_S = 15.0
"""How long a browser may take nothing of what is sent."""
MOST_WAITING = 100
RETRY_MS = 3000
"""How long a browser waits before it connects again."""

Find = Callable[[], Awaitable[Session | None]]
"""The session with valid tokens; None once it is over."""
Events = Callable[[Clients, str, str | None], AsyncGenerator[ServerEvent, None]]


@dataclass(frozen=True)
class News:
    """Something changed for a patient; `order` is None when it may be anything."""

    patient: str
    order: str | None = None


@dataclass(frozen=True)
class Over:
    """The session has ended."""


@dataclass(frozen=True)
class Stopping:
    """This process stops: the browser connects again."""


@dataclass(frozen=True)
class Follower:
    """Follows patients with the tokens of one session, and puts what happens on a queue."""

    find: Find
    as_bearer: Callable[[str], Clients]
    news: "asyncio.Queue[News | Over | Stopping]"

    async def follow(self, events: Events, patient: str) -> None:
        """Follow one patient at one service, with a new token when the one before has ended."""
        last_id: str | None = None
        backoff = Backoff()
        while (session := await self.find()) is not None:
            try:
                api = self.as_bearer(session.tokens.access)
                async with aclosing(events(api, patient, last_id)) as told:
                    async for event in told:
                        last_id = event.id or last_id
                        await self.news.put(_news(event, patient))
                        backoff = Backoff()
            except NotFound:
                # No longer theirs to see: the page asks, and is told so.
                await self.news.put(News(patient))
                return
            except Unauthorized:
                break
            except ApiError:
                # Away, or no room. When it is back, its first event makes the page ask.
                pass
            await backoff.wait()
        await self.news.put(Over())


class Relay(Response):
    """The answer: server-sent events for one browser, until it leaves or its session ends.

    `opened` counts the stream, and says when it is to end.
    """

    media_type = "text/event-stream"

    def __init__(
        self,
        follower: Follower,
        patients: Sequence[str],
        opened: Callable[[], AbstractContextManager[Ending]],
        heartbeat_s: float = HEARTBEAT_S,
    ) -> None:
        # Not the base class's: it would declare an empty body.
        self.status_code = 200
        self.background = None
        self.init_headers({"cache-control": "no-store", "x-accel-buffering": "no"})
        self._follower = follower
        self._patients = patients
        self._opened = opened
        self._heartbeat_s = heartbeat_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def in_time(content: Message) -> None:
            async with asyncio.timeout(SEND_S):
                await send(content)

        with self._opened() as ending:
            tasks = [
                asyncio.create_task(self._follower.follow(events, patient))
                for patient in self._patients
                for events in (_orders, _messages)
            ]
            telling = asyncio.create_task(self._tell(in_time))
            ends = [asyncio.create_task(ending.set.wait()), asyncio.create_task(_gone(receive))]
            try:
                await asyncio.wait({telling, *ends}, return_when=asyncio.FIRST_COMPLETED)
                if ends[0].done():
                    await self._follower.news.put(Over() if ending.over else Stopping())
                    await asyncio.wait({telling}, timeout=SEND_S)
            finally:
                for task in (*tasks, *ends, telling):
                    task.cancel()
                await asyncio.gather(*tasks, *ends, telling, return_exceptions=True)

    async def _tell(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        await send(_body(b"retry: %d\n\n" % RETRY_MS))
        while not isinstance(news := await self._next(), Over | Stopping):
            await send(_body(b":\n\n" if news is None else _event(news)))
        last = b"event: over\ndata: {}\n\n" if isinstance(news, Over) else b""
        await send(_body(last, more=False))

    async def _next(self) -> "News | Over | Stopping | None":
        """What is to be told; None when nothing was for a while."""
        try:
            async with asyncio.timeout(self._heartbeat_s):
                return await self._follower.news.get()
        except TimeoutError:
            return None


def _news(event: ServerEvent, patient: str) -> News:
    """What a service's event means for a page: of the beginning and of a gap, that it may be older."""
    order = event.data.get("order_id")
    return News(patient, None if order is None else f"{order}")


def _event(news: News) -> bytes:
    data = orjson.dumps({"patient": news.patient, "order": news.order})
    return b"event: changed\ndata: %s\n\n" % data


def _body(content: bytes, *, more: bool = True) -> Message:
    return {"type": "http.response.body", "body": content, "more_body": more}


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _orders(api: Clients, patient: str, last_id: str | None) -> AsyncGenerator[ServerEvent, None]:
    return api.ordering.events(patient, last_id)


def _messages(api: Clients, patient: str, last_id: str | None) -> AsyncGenerator[ServerEvent, None]:
    return api.notification.events(patient, last_id)
