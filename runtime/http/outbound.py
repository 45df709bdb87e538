"""Sends requests to URLs of somebody else's choice, such as webhooks: to public addresses only, over https.

The address is checked when it is connected to, and it is the one that is connected to: a name that leads
elsewhere later changes nothing. A redirect is an answer like any other, and is not followed.
"""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

import httpcore

from runtime.http.public_addresses import is_public

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Finds the addresses of a host. Raises OSError."""

CONNECT_S = 5.0
SEND_S = 15.0
"""Seconds for a whole request, until the headers of its answer."""


class WhyNotSent(StrEnum):
    """Why nobody answered. Shown to whoever chose the URL, so that none names an address."""

    URL = "url"
    """It is not https, names no host, or has a login."""
    NAME = "name"
    """The host is not found."""
    ADDRESS = "address"
    """The host is not at a public address."""
    CONNECTION = "connection"
    """Nobody listens there, or the connection broke."""
    CERTIFICATE = "certificate"
    """The certificate is not trusted, or not the host's."""
    TIME = "time"
    """No answer in time."""


@dataclass(frozen=True, slots=True)
class Answered:
    """Somebody answered with this status. A redirect (3xx) is no success."""

    status: int

    @property
    def succeeded(self) -> bool:
        """Whether the answer says that the request was taken."""
        return 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class NotSent:
    """Nobody answered."""

    why: WhyNotSent


class _NotReachable(Exception):
    """The host's name or address is refused, before anything is connected to."""

    def __init__(self, why: WhyNotSent) -> None:
        super().__init__(why)
        self.why = why


async def resolve(host: str, port: int) -> Sequence[str]:
    """Ask the system's resolver, which also reads `127.1` and `0x7f000001`. Raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


class PublicBackend(httpcore.AsyncNetworkBackend):
    """Connects to public addresses only; a host with any other address is refused altogether."""

    def __init__(
        self, resolve: Resolve = resolve, connect: httpcore.AsyncNetworkBackend | None = None
    ) -> None:
        self._resolve = resolve
        self._connect = connect or httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address that answers. Raises _NotReachable, or httpcore's errors."""
        failed: Exception = _NotReachable(WhyNotSent.NAME)
        for address in await self._public(host, port):
            try:
                return await self._connect.connect_tcp(
                    address, port, timeout, local_address, socket_options
                )
            except httpcore.ConnectError as error:
                failed = error
        raise failed

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await self._connect.sleep(seconds)

    async def _public(self, host: str, port: int) -> Sequence[str]:
        try:
            addresses = await self._resolve(host, port)
        except (OSError, UnicodeError):
            raise _NotReachable(WhyNotSent.NAME) from None
        if not all(map(is_public, addresses)):
            raise _NotReachable(WhyNotSent.ADDRESS)
        return addresses


class Outbound:
    """Sends POST requests. With `local`, for a local stack: http and loopback are allowed too."""

    def __init__(
        self,
        *,
        local: bool = False,
        backend: httpcore.AsyncNetworkBackend | None = None,
        tls: ssl.SSLContext | None = None,
        send_s: float = SEND_S,
    ) -> None:
        self._schemes = ("https", "http") if local else ("https",)
        self._backend = backend or (httpcore.AnyIOBackend() if local else PublicBackend())
        self._tls = tls or ssl.create_default_context()
        self._send_s = send_s

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answered | NotSent:
        """Send a body, and tell the status of the answer, whose body is not read."""
        if not self._may_be_meant(url):
            return NotSent(WhyNotSent.URL)
        try:
            async with asyncio.timeout(self._send_s):
                return Answered(await self._send(url, body, headers))
        except _NotReachable as refusal:
            return NotSent(refusal.why)
        except (TimeoutError, httpcore.TimeoutException):
            return NotSent(WhyNotSent.TIME)
        except (httpcore.NetworkError, httpcore.ProtocolError) as error:
            return NotSent(_why_broken(error))

    async def _send(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        # A pool for one request: who asks for many URLs of many hosts keeps no connections.
        async with (
            httpcore.AsyncConnectionPool(
                ssl_context=self._tls, network_backend=self._backend, max_connections=1
            ) as pool,
            pool.stream(
                "POST",
                url,
                headers=[*headers.items()],
                content=body,
                extensions={"timeout": {"connect": CONNECT_S}},
            ) as answer,
        ):
            return answer.status

    def _may_be_meant(self, url: str) -> bool:
        try:
            parts = urlsplit(url)
            _ = parts.port
        except ValueError:
            return False
        return bool(parts.scheme in self._schemes and parts.hostname and "@" not in parts.netloc)


def _why_broken(error: BaseException | None) -> WhyNotSent:
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return WhyNotSent.CERTIFICATE
        error = error.__cause__ or error.__context__
    return WhyNotSent.CONNECTION
