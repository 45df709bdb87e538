"""News for open pages: passed on once, ended with the session, and bounded."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from herhaal_client import Clients, NotFound, ServerEvent, Unauthorized, Unavailable
from portal.live.open_streams import MOST_OF_SESSION, OpenStreams
from portal.live.relay import Follower, News, Over, Relay, Stopping
from portal.login.oidc import Tokens
from portal.session.sessions import Session
from schemas.access import Claims, Party

PATIENT = "pat_a001"
ORDER = ServerEvent("order", "3-7", {"order_id": "o-1", "seq": 1})
READY = ServerEvent("ready", "3-6", {})


def session(token: str = "token-1") -> Session:
    until = datetime.now(UTC) + timedelta(hours=1)
    tokens = Tokens(token, until, None, "", None)
    return Session("s" * 43, tokens, Claims(sub=PATIENT, role=Party.PATIENT), until)


@dataclass
class Service:
    """Answers each connection with the next of these: events, then an error, or an end."""

    connections: list[list[ServerEvent | Exception]]
    asked: list[str | None] = field(default_factory=list)

    async def events(
        self, _: Clients, __: str, last_id: str | None
    ) -> AsyncGenerator[ServerEvent, None]:
        self.asked.append(last_id)
        for step in self.connections.pop(0) if self.connections else []:
            if isinstance(step, Exception):
                raise step
            yield step
        if not self.connections:
            await asyncio.Event().wait()


def no_clients(_: str) -> Clients:
    return cast(Clients, None)


async def found() -> Session | None:
    return session()


def follower(find: Callable[[], Any] = found) -> Follower:
    return Follower(find, no_clients, asyncio.Queue(100))


@asynccontextmanager
async def following(one: Follower, service: Service) -> AsyncGenerator[None, None]:
    task = asyncio.create_task(one.follow(service.events, PATIENT))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def told(one: Follower, count: int) -> list[News | Over | Stopping]:
    async with asyncio.timeout(5):
        return [await one.news.get() for _ in range(count)]


async def test_an_event_says_which_order_changed_and_the_beginning_that_anything_may_have() -> None:
    one = follower()
    async with following(one, Service([[READY, ORDER]])):
        assert await told(one, 2) == [News(PATIENT), News(PATIENT, "o-1")]


async def test_a_stream_that_breaks_is_resumed_after_the_last_event() -> None:
    service = Service([[ORDER, Unavailable("events", "broken-off")], [READY]])
    one = follower()
    async with following(one, service):
        await told(one, 2)
    assert service.asked == [None, "3-7"]


@pytest.mark.parametrize(
    ("refusal", "last"),
    [(NotFound("events", "not-found"), News(PATIENT)), (Unauthorized("events", "revoked"), Over())],
)
async def test_a_refusal_ends_it(refusal: Exception, last: News | Over) -> None:
    """Given a proxy who was revoked, or a token that is; then the page is told once, and nobody asks again."""
    service = Service([[refusal]])
    one = follower()
    await asyncio.wait_for(one.follow(service.events, PATIENT), 5)
    assert (await told(one, 1), service.asked) == ([last], [None])


async def test_without_a_session_nobody_is_asked() -> None:
    async def gone() -> Session | None:
        return None

    service = Service([[ORDER]])
    one = follower(gone)
    await asyncio.wait_for(one.follow(service.events, PATIENT), 5)
    assert (await told(one, 1), service.asked) == ([Over()], [])


async def told_until(end: Callable[[OpenStreams], Awaitable[None]]) -> list[bytes]:
    """What an open stream sends until it has ended by this."""
    sent: list[bytes] = []
    streams = OpenStreams()
    answer = Relay(follower(), (), lambda: streams.opened("s1"))

    async def send(message: Any) -> None:
        sent.append(message.get("body", b""))

    running = asyncio.create_task(answer({"type": "http"}, _stays, send))
    while not sent:
        await asyncio.sleep(0)
    await end(streams)
    await asyncio.wait_for(running, 5)
    return sent


async def test_the_end_of_a_session_is_told_and_ends_the_stream() -> None:
    """Given an open stream; when the session ends; then the browser is told so, and the answer ends."""
    sent = await told_until(lambda streams: streams.end_the_dead(_nobody_alive))
    assert sent[-1] == b"event: over\ndata: {}\n\n"


async def test_a_process_that_stops_ends_its_streams_without_a_word() -> None:
    """Given an open stream; when the portal stops; then it ends, and nobody is told of a logout."""

    async def stop(streams: OpenStreams) -> None:
        streams.end_all()

    assert all(b"over" not in each for each in await told_until(stop))


async def test_a_browser_that_leaves_leaves_nothing_behind() -> None:
    streams = OpenStreams()
    before = asyncio.all_tasks()
    answer = Relay(follower(), (), lambda: streams.opened("s1"))

    async def leaves() -> Any:
        return {"type": "http.disconnect"}

    async def send(_: Any) -> None:
        await asyncio.sleep(0)

    await asyncio.wait_for(answer({"type": "http"}, leaves, send), 5)
    assert asyncio.all_tasks() == before
    assert streams.room("s1")


async def test_a_session_has_room_for_a_few_streams() -> None:
    streams = OpenStreams()
    opened = [streams.opened("s1") for _ in range(MOST_OF_SESSION)]
    for each in opened:
        each.__enter__()
    assert not streams.room("s1")
    assert streams.room("s2")
    opened[0].__exit__(None, None, None)
    assert streams.room("s1")


async def _nobody_alive(_: Any) -> frozenset[str]:
    return frozenset()


async def _stays() -> Any:
    await asyncio.Event().wait()
