"""Orders over HTTP at a fixed rate, whatever the answers, from a client that costs little CPU.

An ordinary client would need more CPU than the service that it has to overload.
"""

import asyncio
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import uvloop

from runtime.messages.encoding import encode
from samples.callers import Permitted
from tests.faults.clients import Answer
from tests.faults.load import Load
from tests.harness.made import an_order
from verify.history import History, Operation, read_history

TICK_S = 0.01
TIMEOUT_S = 15.0
CONNECTIONS = 800
"""More than the requests that a service handles at a time, fewer than the files that a process may open."""

ACCEPTED_S = 3.0
"""Time in which an idle service accepts all connections."""


class Connection:
    """One persistent HTTP/1.1 connection, which can be reopened after it broke."""

    def __init__(self, url: str) -> None:
        address = urlsplit(url)
        self._host, self._port = address.hostname or "", address.port or 80
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def open(self) -> None:
        """Connect, unless connected. Raises OSError."""
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._host, self._port)

    async def post(self, path: str, token: str, body: bytes) -> tuple[int, str | None]:
        """Send a POST with this `Authorization`; return the answer's status and Retry-After.

        Raises OSError or EOFError when the connection breaks.
        """
        assert self._streams is not None, "it is open"
        reader, writer = self._streams
        head = (
            f"POST {path} HTTP/1.1\r\nhost: {self._host}\r\nauthorization: {token}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        writer.write(head.encode() + body)
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {n.lower(): v.strip() for n, _, v in (line.partition(":") for line in lines)}
        await reader.readexactly(int(headers["content-length"]))
        return int(first.split()[1]), headers.get("retry-after")

    def close(self) -> None:
        """Close the connection; the next `open` makes a new one."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


class Flood:
    """Places orders of a load's patients, and records them in a separate history."""

    def __init__(self, url: str, tokens: Permitted, load: Load, history: Path) -> None:
        self._url = url
        self._tokens = tokens
        self._load = load
        self._path = history
        self._number = 0

    def operations(self) -> list[Operation]:
        """Every operation of the load and of the flood."""
        return [*self._load.operations(), *read_history(self._path)]

    async def in_turn(self, clients: int, seconds: float) -> list[Answer]:
        """Run this many clients, each with one request at a time; return the answers."""
        return await asyncio.to_thread(_quickly, self._in_turn(clients, seconds))

    async def at(self, per_s: float, seconds: float) -> list[Answer]:
        """Send this many orders a second, as far as connections are free; return the answers.

        Connections are opened before, as a portal's are. uvloop accepts one connection per iteration, so new
        ones would wait in the kernel's backlog, where the service cannot refuse their requests.
        """
        return await asyncio.to_thread(_quickly, self._at(per_s, seconds))

    async def _in_turn(self, clients: int, seconds: float) -> list[Answer]:
        answers: list[Answer] = []
        ends_s = time.monotonic() + seconds

        async def client(history: History) -> None:
            connection = Connection(self._url)
            while time.monotonic() < ends_s:
                answers.append(await self._place(connection, history))
            connection.close()

        with History(self._path) as history:
            await asyncio.gather(*(client(history) for _ in range(clients)))
        return answers

    async def _at(self, per_s: float, seconds: float) -> list[Answer]:
        answers: list[Answer] = []
        idle = [Connection(self._url) for _ in range(CONNECTIONS)]
        await asyncio.gather(*(connection.open() for connection in idle))
        await asyncio.sleep(ACCEPTED_S)

        async def one(connection: Connection, history: History) -> None:
            answers.append(await self._place(connection, history))
            idle.append(connection)

        began_s, begun = time.monotonic(), 0
        with History(self._path) as history:
            async with asyncio.TaskGroup() as sending:
                while (passed_s := time.monotonic() - began_s) < seconds:
                    due = int(passed_s * per_s) - begun
                    begun += due
                    for _ in range(min(due, len(idle))):
                        sending.create_task(one(idle.pop(), history))
                    await asyncio.sleep(TICK_S)
        for connection in idle:
            connection.close()
        return answers

    async def _place(self, connection: Connection, history: History) -> Answer:
        self._number += 1
        order = an_order(self._load.patients[self._number % len(self._load.patients)])
        token = self._tokens.header("POST", "/orders")
        invoked = await history.invoke("place", "http", order.order_id)
        sent_s = time.monotonic()
        try:
            await connection.open()
        except OSError:
            await invoked.failed()
            return Answer(sent_s, time.monotonic(), None)
        try:
            async with asyncio.timeout(TIMEOUT_S):
                status, retry_after = await connection.post("/orders", token, encode(order))
        except (OSError, EOFError):
            connection.close()
            await invoked.unknown()
            return Answer(sent_s, time.monotonic(), None)
        answer = Answer(sent_s, time.monotonic(), status, retry_after)
        await invoked.answered(status)
        return answer


def _quickly(sending: Coroutine[Any, Any, list[Answer]]) -> list[Answer]:
    """Run this in a uvloop event loop, which costs less CPU than the tests' own."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(sending)
