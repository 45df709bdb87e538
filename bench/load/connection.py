"""A minimal HTTP/1.1 client: it sends prepared requests and reads only the status of answers."""

import asyncio
from collections.abc import Callable
from typing import cast


class Connection(asyncio.Protocol):
    """One keep-alive connection with one request at a time.

    `answered(connection, status)` is called after each complete answer, with status 0 when the connection is
    closed before its answer.
    """

    def __init__(self, answered: Callable[["Connection", int], None]) -> None:
        self._answered = answered
        self._read = b""
        self._due = False
        self._transport: asyncio.Transport | None = None

    @property
    def usable(self) -> bool:
        """Whether it is open and no answer is due."""
        transport = self._transport
        return transport is not None and not self._due and not transport.is_closing()

    def send(self, request: bytes) -> None:
        """Send a request without waiting for its answer."""
        assert self._transport is not None, "it is open"
        self._due = True
        self._transport.write(request)

    def close(self) -> None:
        """Close it."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # A cast, as uvloop's transports are not instances of asyncio's classes.
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._read += data
        end = self._read.find(b"\r\n\r\n")
        if end >= 0 and len(self._read) >= end + 4 + _length(self._read[:end]):
            status = int(self._read[9:12])
            self._read, self._due = b"", False
            self._answered(self, status)

    def connection_lost(self, error: Exception | None) -> None:
        if self._due:
            self._due = False
            self._answered(self, 0)


async def connect(host: str, port: int, answered: Callable[[Connection, int], None]) -> Connection:
    """Open a connection. Raises OSError."""
    loop = asyncio.get_running_loop()
    _, connection = await loop.create_connection(lambda: Connection(answered), host, port)
    return connection


def request(host: str, token: str, body: bytes) -> bytes:
    """Make the request that posts an order."""
    head = (
        f"POST /orders HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _length(head: bytes) -> int:
    start = head.lower().find(b"content-length:")
    return int(head[start + 15 :].split(b"\r\n", 1)[0]) if start >= 0 else 0
