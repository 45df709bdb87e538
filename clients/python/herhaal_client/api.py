"""One service's API, as one bearer: sends calls, repeats what may be repeated, makes exceptions of refusals."""

import re
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import httpx
from httpx_sse import EventSource, ServerSentEvent, SSEError

from herhaal_client.calls import Answer, Call
from herhaal_client.errors import ApiError, Unavailable, error_of, unexpected
from herhaal_client.retries import Retries

Token = str | Callable[[], Awaitable[str]]
"""An access token, or what gives one that is valid now; asked before each try."""

CONNECT_S = 2.0
READ_S = 10.0
"""How long an answer may take, besides the time for which the caller wants to wait."""
SILENCE_S = 60.0
"""How long a stream of events may be silent: services send a comment more often than that."""

_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")

_BROKEN_OFF = (httpx.NetworkError, httpx.RemoteProtocolError)
_FAILURES = (httpx.TimeoutException, httpx.ProxyError, *_BROKEN_OFF)


@dataclass(frozen=True)
class Api:
    """Sends calls to the service at `base_url` with a bearer's token.

    `traceparent` is the W3C trace context that goes with each request. `http`, and `streams` if streams of
    events have connections of their own, belong to the caller.
    """

    http: httpx.AsyncClient
    base_url: str
    token: Token = field(repr=False)
    traceparent: str | None = None
    retries: Retries = field(default_factory=Retries)
    streams: httpx.AsyncClient | None = None

    async def ask(self, call: Call) -> Answer:
        """Send a call, and again where that may help. Raises ApiError unless it succeeds."""
        outcome = await self.retries.run(call, self._attempt)
        if isinstance(outcome, ApiError):
            raise outcome
        return outcome

    async def events(self, call: Call) -> AsyncGenerator[ServerSentEvent, None]:
        """Send a call once and give the events of its answer as they come.

        Raises ApiError unless it succeeds, Unavailable when the connection breaks, UnexpectedAnswer for an
        answer that is no stream of events.
        """
        request = await self._request(call, SILENCE_S)
        failure: ApiError | None = None
        try:
            async with (self.streams or self.http).stream(**request) as response:
                if response.is_success:
                    async with aclosing(EventSource(response).aiter_sse()) as events:
                        async for event in events:
                            yield event
                else:
                    await response.aread()
                    failure = error_of(call.asked, response)
        except _FAILURES as error:
            failure = Unavailable(call.asked, _code(error))
        except (SSEError, httpx.DecodingError):
            failure = unexpected(call.asked, None, "It is no stream of events.")
        if failure is not None:
            raise failure

    async def _attempt(self, call: Call) -> Answer | ApiError:
        """Send a call once. Its failure is returned: httpx's exceptions hold the request with its token."""
        request = await self._request(call, READ_S + call.wait_s + call.takes_s)
        try:
            response = await self.http.request(**request)
        except _FAILURES as error:
            return Unavailable(call.asked, _code(error))
        except httpx.DecodingError:
            return unexpected(call.asked, None, "The body cannot be decompressed.")
        if response.is_success or response.status_code == httpx.codes.NOT_MODIFIED:
            return Answer(call.asked, response.status_code, response.content)
        return error_of(call.asked, response)

    async def _request(self, call: Call, read_s: float) -> dict[str, Any]:
        trace = {"traceparent": self.traceparent} if self.traceparent else {}
        bearer = {"Authorization": f"Bearer {await self._bearer()}"}
        return {
            "method": call.method,
            "url": self.base_url.rstrip("/") + call.url_path,
            "params": call.query,
            "content": call.content,
            "headers": {"Accept": "application/json", **trace, **call.own_headers, **bearer},
            "timeout": httpx.Timeout(READ_S, connect=CONNECT_S, pool=CONNECT_S, read=read_s),
        }

    async def _bearer(self) -> str:
        token = self.token if isinstance(self.token, str) else await self.token()
        if not _TOKEN.fullmatch(token):
            # The HTTP library would quote it.
            raise ValueError("The token has characters that no bearer token has (RFC 6750).")
        return token


def _code(error: Exception) -> str:
    match error:
        case httpx.ConnectError() | httpx.ConnectTimeout() | httpx.PoolTimeout():
            return "no-connection"
        case httpx.TimeoutException():
            return "too-slow"
        case _:
            return "broken-off"
