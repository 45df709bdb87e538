"""An event stream: its form, its heartbeats, and its end with its client, its rights or the process."""

import asyncio
from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any

from runtime.http.event_stream import EventStream, begins_stream, frame
from runtime.http.load_shedding import LoadShedding
from runtime.http.time_limit import TimeLimit
from runtime.messages.recent import LiveEvent, Position, Recent

ANNA, OWNER = "pat_anna0001", "usr_1"
READY = b"event: ready\nid: 0-0\ndata: {}\n\n"
HEARTBEAT = b":\n\n"


def event(number: int) -> LiveEvent:
    return LiveEvent("order", b'{"seq":%d}' % number)


@dataclass
class Given:
    """Rights that a test changes."""

    seconds: float = 60.0
    hidden: LiveEvent | None = None

    def left_s(self) -> float:
        return self.seconds

    def cover(self, event: LiveEvent) -> bool:
        return event != self.hidden


class Client:
    """The client of one stream, through the middleware of a service."""

    def __init__(self, rights: Given, heartbeat_s: float = 60, reads: bool = True) -> None:
        self.rights, self.reads = rights, reads
        self.recent = Recent()
        self.recent.begin(0, 0)
        self.left = asyncio.Event()
        self.head: MutableMapping[str, Any] = {}
        self.content = b""
        self.complete = False
        stream = EventStream(
            lambda: self.recent.watch(ANNA, OWNER), rights, heartbeat_s=heartbeat_s, send_s=0.05
        )
        self.shedding = LoadShedding(TimeLimit(stream, seconds=0.1), max_requests=1)
        scope = {"type": "http", "path": "/events"}
        self.answer = asyncio.create_task(self.shedding(scope, self._receive, self._send))

    def happens(self, number: int) -> None:
        self.recent.add(0, self.recent.end_of(0) or 0, ANNA, event(number))

    async def gets(self, content: bytes) -> None:
        """Wait until exactly this has been sent."""
        async with asyncio.timeout(5):
            while self.content != content:
                await asyncio.sleep(0.001)

    async def _receive(self) -> MutableMapping[str, Any]:
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.head = message
            return
        if not self.reads:
            await asyncio.Event().wait()
        self.content += message["body"]
        self.complete = not message["more_body"]


def test_an_event_is_written_as_the_standard_has_it() -> None:
    assert frame(Position(3, 42), event(1)) == b'event: order\nid: 3-42\ndata: {"seq":1}\n\n'


async def test_a_stream_sends_each_event_as_it_happens() -> None:
    client = Client(Given())
    await client.gets(READY)
    client.happens(1)
    first = READY + frame(Position(0, 1), event(1))
    await client.gets(first)
    client.happens(1)
    client.happens(2)
    await client.gets(first + frame(Position(0, 3), event(2)))
    headers = dict(client.head["headers"])
    assert headers[b"content-type"].startswith(b"text/event-stream")
    assert headers[b"cache-control"] == b"no-store"
    assert headers[b"x-accel-buffering"] == b"no"
    assert b"content-length" not in headers
    client.left.set()
    await client.answer


async def test_a_heartbeat_has_no_id_and_a_stream_outlives_the_time_limit() -> None:
    client = Client(Given(), heartbeat_s=0.15)
    await client.gets(READY + HEARTBEAT + HEARTBEAT)
    client.recent.end()
    await client.answer
    assert client.complete


async def test_a_stream_is_no_request_in_progress() -> None:
    client = Client(Given())
    await client.gets(READY)
    assert client.shedding.in_progress == 0
    client.recent.end()
    await client.answer
    assert client.shedding.in_progress == 0


async def test_what_the_client_may_not_see_is_not_sent() -> None:
    client = Client(Given(hidden=event(1)))
    await client.gets(READY)
    client.happens(1)
    client.happens(2)
    await client.gets(READY + frame(Position(0, 2), event(2)))
    client.recent.end()
    await client.answer


async def test_nothing_is_sent_once_the_rights_have_ended() -> None:
    """Given an open stream; when the rights end and then something happens; then the stream ends without it."""
    client = Client(Given())
    await client.gets(READY)
    client.rights.seconds = 0
    client.happens(1)
    await client.answer
    assert (client.content, client.complete) == (READY, True)


async def test_a_stream_ends_at_a_heartbeat_when_the_rights_have_ended() -> None:
    client = Client(Given(), heartbeat_s=0.05)
    await client.gets(READY)
    client.rights.seconds = 0
    await client.answer
    assert client.complete
    assert client.content.replace(HEARTBEAT, b"") == READY


async def test_a_stream_ends_with_its_token_before_the_next_heartbeat() -> None:
    class Token(Given):
        """Expires in 0.1 s."""

        def left_s(self) -> float:
            return ends_s - asyncio.get_running_loop().time()

    ends_s = asyncio.get_running_loop().time() + 0.1
    client = Client(Token())
    async with asyncio.timeout(1):
        await client.answer
    assert client.complete


async def test_a_client_that_leaves_leaves_nothing_behind() -> None:
    client = Client(Given())
    await client.gets(READY)
    assert client.recent.watched == 1
    client.left.set()
    await client.answer
    assert client.recent.watched == 0


async def test_a_client_that_takes_nothing_is_cut_off() -> None:
    client = Client(Given(), reads=False)
    async with asyncio.timeout(1):
        await client.answer
    assert (client.complete, client.recent.watched) == (False, 0)


async def test_the_end_of_the_process_ends_a_stream_at_once() -> None:
    client = Client(Given())
    await client.gets(READY)
    client.recent.end()
    async with asyncio.timeout(0.5):
        await client.answer
    assert client.complete


def test_only_a_head_with_its_type_begins_a_stream() -> None:
    start = {"type": "http.response.start", "headers": [(b"content-type", b"text/event-stream")]}
    assert begins_stream(start)
    assert not begins_stream(start | {"headers": [(b"content-type", b"application/json")]})
    assert not begins_stream({"type": "http.response.body", "body": b"text/event-stream"})
