"""Server-sent events are read as they come; how a stream ends is seen."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from herhaal_client import NotFound, ServerEvent, Services, Unavailable, UnexpectedAnswer
from tests.unit.clients.asking import TOKEN, Reply, a_problem, replying
from tests.unit.clients.example import PATIENT
from tests.unit.clients.listening import listening
from tests.unit.clients.test_errors import everything

STREAM = {"content-type": "text/event-stream; charset=utf-8"}
ORDER = 'id: a1\nevent: order\ndata: {"order_id": "x", "seq": 2}\n\n'


def stream(text: str) -> httpx.Response:
    return httpx.Response(200, headers=STREAM, content=text.encode())


async def events_of(*replies: Reply, last: str | None = None) -> list[ServerEvent]:
    events = replying(*replies).clients().ordering.events(PATIENT, last)
    return [event async for event in events]


async def test_events_have_a_name_an_id_and_data() -> None:
    text = f": hello\n\nevent: ready\ndata: {{}}\n\n{ORDER}:\n\nevent: reset\nid: b\ndata: {{}}\n\n"
    assert await events_of(stream(text)) == [
        ServerEvent("ready", "", {}),
        ServerEvent("order", "a1", {"order_id": "x", "seq": 2}),
        ServerEvent("reset", "b", {}),
    ]


async def test_what_has_no_data_is_no_event() -> None:
    assert await events_of(stream(f"event: none\n\n{ORDER}: a heartbeat\n\n")) == [
        ServerEvent("order", "a1", {"order_id": "x", "seq": 2})
    ]


async def test_a_stream_is_resumed_after_the_last_event() -> None:
    service = replying(stream(""))
    events = service.clients().notification.events(PATIENT, last_event_id="a1")
    assert [event async for event in events] == []
    headers = service.requests[0].headers
    assert headers["last-event-id"] == "a1"
    assert headers["accept"] == "text/event-stream"
    assert service.requests[0].extensions["timeout"]["read"] == 60


async def test_a_refused_stream_is_its_problem() -> None:
    with pytest.raises(NotFound):
        await events_of(a_problem(404))


async def test_a_stream_is_opened_once() -> None:
    """Whoever reads it decides when to try again."""
    service = replying(a_problem(503))
    with pytest.raises(Unavailable):
        [event async for event in service.clients().ordering.events(PATIENT)]
    assert len(service.requests) == 1


@pytest.mark.parametrize(
    "reply",
    [
        httpx.Response(200, json={}),
        stream("event: order\ndata: Jansen\n\n"),
        stream("data: [1]\n\n"),
    ],
)
async def test_what_is_no_event_is_unexpected_and_not_quoted(reply: httpx.Response) -> None:
    with pytest.raises(UnexpectedAnswer) as raised:
        await events_of(reply)
    assert "Jansen" not in everything(raised.value)


class _Breaks(httpx.AsyncByteStream):
    def __init__(self, request: httpx.Request) -> None:
        self._request = request

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield ORDER.encode()
        raise httpx.ReadError("reset", request=self._request)


async def test_a_stream_that_breaks_is_unavailable_after_what_came() -> None:
    service = replying(lambda request: httpx.Response(200, headers=STREAM, stream=_Breaks(request)))
    events = service.clients().ordering.events(PATIENT)
    assert (await anext(events)).event == "order"
    with pytest.raises(Unavailable) as raised:
        await anext(events)
    assert raised.value.code == "broken-off"
    assert TOKEN not in everything(raised.value)


class Slow:
    """An app that sends one event, and then nothing until the client has left."""

    def __init__(self) -> None:
        self.left = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        body = {"type": "http.response.body", "body": ORDER.encode(), "more_body": True}
        await send(body)
        while (await receive())["type"] != "http.disconnect":
            pass
        self.left.set()


async def test_an_event_is_given_while_the_stream_goes_on_and_leaving_closes_it() -> None:
    app = Slow()
    async with listening(app) as addresses, Services(addresses) as services, asyncio.timeout(10):
        clients = services.as_bearer(TOKEN)
        async with aclosing(clients.ordering.events(PATIENT)) as events:
            assert (await anext(events)).event == "order"
            assert not app.left.is_set()
        await app.left.wait()
