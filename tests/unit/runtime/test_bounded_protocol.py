"""A request's head and time are bounded, on a real socket."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import uvicorn
from fastapi import FastAPI, Request

from runtime.http import problems
from runtime.http.answer_headers import AnswerHeaders
from runtime.http.bounded_protocol import MOST_HEAD_BYTES, BoundedProtocol

GET = b"GET / HTTP/1.1\r\nhost: test\r\n"


class Quick(BoundedProtocol):
    """Waits half a second for a request."""

    receive_s = 0.5


@dataclass
class Connection:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def answer(self) -> tuple[int, dict[str, str], bytes]:
        """Read one answer with a content-length."""
        async with asyncio.timeout(5):
            first, *lines = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = {n.lower(): v.strip() for n, _, v in (line.partition(":") for line in lines)}
            body = await self.reader.readexactly(int(headers["content-length"]))
        return int(first.split()[1]), headers, body

    async def ends(self) -> bytes:
        """Read until the service closes the connection."""
        async with asyncio.timeout(5):
            return await self.reader.read()


async def trickle(writer: asyncio.StreamWriter, part: bytes) -> None:
    """Send a part again and again, more often than the service would time out."""
    try:
        while True:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0.1)
    except ConnectionError:
        """The service has closed it."""


def app(done: list[str]) -> AnswerHeaders:
    made = FastAPI()
    problems.install(made)

    @made.post("/")
    async def post(request: Request) -> dict[str, int]:
        try:
            return {"bytes": len(await request.body())}
        finally:
            done.append("post")

    @made.get("/")
    async def get() -> str:
        return "done"

    return AnswerHeaders(made)


@asynccontextmanager
async def connected(done: list[str] | None = None) -> AsyncIterator[Connection]:
    """Connect to a server of this protocol."""
    found = app([] if done is None else done)
    config = uvicorn.Config(
        found, port=0, http=Quick, log_config=None, lifespan="off", timeout_keep_alive=1
    )
    server = uvicorn.Server(config)
    config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    host, port = server.servers[0].sockets[0].getsockname()
    reader, writer = await asyncio.open_connection(host, port)
    try:
        yield Connection(reader, writer)
    finally:
        writer.close()
        await server.shutdown()


async def test_an_ordinary_request_is_answered_and_the_connection_kept() -> None:
    async with connected() as connection:
        for _ in range(2):
            connection.writer.write(GET + b"\r\n")
            status, headers, body = await connection.answer()
            assert (status, body) == (200, b'"done"')
            assert "connection" not in headers


async def test_headers_as_large_as_they_may_be_are_read() -> None:
    async with connected() as connection:
        connection.writer.write(GET + b"x: " + b"a" * (MOST_HEAD_BYTES - 100) + b"\r\n\r\n")
        assert (await connection.answer())[0] == 200


async def test_larger_headers_are_a_431_complete_or_not() -> None:
    for end in (b"\r\n\r\n", b""):
        async with connected() as connection:
            connection.writer.write(GET + b"x: " + b"a" * MOST_HEAD_BYTES + end)
            status, headers, body = await connection.answer()
            assert status == 431
            assert json.loads(body)["type"] == "urn:herhaal:problem:head-too-large"
            assert headers["x-content-type-options"] == "nosniff"
            assert await connection.ends() == b""


async def test_many_small_headers_are_a_431() -> None:
    async with connected() as connection:
        connection.writer.write(GET + b"a: b\r\n" * (MOST_HEAD_BYTES // 6) + b"\r\n")
        assert (await connection.answer())[0] == 431


async def test_a_connection_that_sends_nothing_is_closed() -> None:
    async with connected() as connection:
        assert (await connection.answer())[0] == 408
        assert await connection.ends() == b""


async def test_headers_that_trickle_in_end_with_408() -> None:
    async with connected() as connection:
        connection.writer.write(GET)
        slow = asyncio.create_task(trickle(connection.writer, b"x: y\r\n"))
        assert (await connection.answer())[0] == 408
        slow.cancel()


async def test_a_body_that_trickles_in_ends_with_408_and_its_request_ends_too() -> None:
    done: list[str] = []
    async with connected(done) as connection:
        connection.writer.write(b"POST / HTTP/1.1\r\nhost: test\r\ncontent-length: 1000\r\n\r\n")
        slow = asyncio.create_task(trickle(connection.writer, b"x"))
        status, headers, body = await connection.answer()
        slow.cancel()
        assert (status, headers["connection"]) == (408, "close")
        assert json.loads(body)["detail"] == "The request did not arrive in time."
        assert await connection.ends() == b""
        async with asyncio.timeout(2):
            while done != ["post"]:
                await asyncio.sleep(0.01)


async def test_a_body_that_nobody_reads_keeps_no_connection() -> None:
    """Given an answer that did not need the body; then what still trickles in does not keep the connection."""
    async with connected() as connection:
        connection.writer.write(GET + b"content-length: 1000\r\n\r\n")
        assert (await connection.answer())[0] == 200
        slow = asyncio.create_task(trickle(connection.writer, b"x"))
        assert await connection.ends() == b""
        slow.cancel()


async def test_an_idle_connection_is_closed_after_its_time() -> None:
    async with connected() as connection:
        connection.writer.write(GET + b"\r\n")
        assert (await connection.answer())[0] == 200
        assert await connection.ends() == b""


async def test_a_request_with_two_lengths_is_refused() -> None:
    """Or a proxy in front could see other requests in the same bytes (RFC 9112, 6.3)."""
    both = b"content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"
    twice = b"content-length: 3\r\ncontent-length: 4\r\n\r\nabcd"
    for headers in (both, twice):
        async with connected() as connection:
            connection.writer.write(b"POST / HTTP/1.1\r\nhost: test\r\n" + headers)
            assert (await connection.answer())[0] == 400
            assert await connection.ends() == b""


async def test_what_is_no_http_is_a_problem_with_the_headers_of_every_answer() -> None:
    async with connected() as connection:
        connection.writer.write(b"\x16\x03\x01 hello\r\n\r\n")
        status, headers, body = await connection.answer()
        assert status == 400
        assert headers["content-type"] == "application/problem+json"
        assert headers["cache-control"] == "no-store"
        assert json.loads(body)["status"] == 400
