"""HTTP/1.1 as uvicorn speaks it, with bounds on the size of a request's head and the time of its arrival.

uvicorn has neither: a header without an end would fill the memory, and a body that trickles in would keep its
connection, and its place in the service, for ever.
"""

import asyncio
from collections.abc import Iterator
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from runtime.http.answer_headers import HSTS, SECURITY_HEADERS, UNLESS_SAID
from runtime.http.problems import Problem

MOST_HEAD_BYTES = 32 * 1024
"""The request line and all headers. A token has at most 8 KB."""

RECEIVE_S = 20.0
"""Seconds in which a whole request arrives, and in which a new connection sends one."""


class BoundedProtocol(HttpToolsProtocol):
    """Answers 431 to a head that is too large and 408 to a request that arrives too slowly; then closes."""

    receive_s = RECEIVE_S

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._in_head = True
        self._receiving = False
        self._head_bytes = 0
        self._slow: asyncio.TimerHandle | None = None
        self._refusal = Problem(400, "bad-request", "This is no HTTP request.")

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Give the first request its time."""
        super().connection_made(transport)
        self._slow = self.loop.call_later(self.receive_s, self._too_slow)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the time."""
        self._in_time()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read a part of a request; what is complete at once needs no timer."""
        if self.transport.is_closing():
            return
        super().data_received(data)
        if self._receiving and self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > MOST_HEAD_BYTES:
                self._refuse(_too_large())
        if self._receiving and self._slow is None:
            self._slow = self.loop.call_later(self.receive_s, self._too_slow)

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self._receiving, self._in_head, self._head_bytes = True, True, 0

    def on_headers_complete(self) -> None:
        """End the head. Raises ValueError, for which the parser stops, when it is too large."""
        if len(self.url) + sum(len(n) + len(v) + 4 for n, v in self.headers) > MOST_HEAD_BYTES:
            self._refusal = _too_large()
            raise ValueError("the head is too large")
        self._in_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """End a request, which arrived in time."""
        super().on_message_complete()
        self._receiving = False
        self._in_time()

    def send_400_response(self, msg: str) -> None:
        """Refuse what the parser refuses, as a problem with the headers of every answer."""
        self._refuse(self._refusal)

    def timeout_keep_alive_handler(self) -> None:
        """Close an idle connection, also one whose client does not read its answer."""
        self.transport.abort()

    def _in_time(self) -> None:
        if self._slow is not None:
            self._slow.cancel()
            self._slow = None

    def _too_slow(self) -> None:
        self._refuse(Problem(408, "too-slow", "The request did not arrive in time."))

    def _refuse(self, problem: Problem) -> None:
        """Answer and close; without an answer where another one is on its way."""
        self._in_time()
        if self._is_free_to_answer():
            secure = self.scheme == "https"
            self.transport.write(b"".join(_written(problem, secure=secure)))
        self.transport.close()

    def _is_free_to_answer(self) -> bool:
        if self.pipeline or self.transport.is_closing():
            return False
        if self._in_head:
            return self.cycle is None or self.cycle.response_complete
        return not self.cycle.response_started


def _too_large() -> Problem:
    return Problem(
        431, "head-too-large", f"The headers are larger than {MOST_HEAD_BYTES // 1024} KB."
    )


def _written(problem: Problem, *, secure: bool) -> Iterator[bytes]:
    response = problem.response()
    yield STATUS_LINE[problem.status]
    headers = [*response.raw_headers, *SECURITY_HEADERS, *UNLESS_SAID, (b"connection", b"close")]
    for name, value in (*headers, HSTS) if secure else headers:
        yield b"%s: %s\r\n" % (name, value)
    yield b"\r\n" + bytes(response.body)
