"""Requests to URLs of somebody else's choice: none reaches an inner address, counted by a listener."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpcore
import pytest

from deploy.local.certificates import AUTHORITY, SERVER, ensure_certificates
from runtime.http.outbound import Answered, NotSent, Outbound, PublicBackend, WhyNotSent, resolve

PUBLIC = "8.8.8.8"


class Listener:
    """Counts connections to loopback, and answers each request."""

    def __init__(self, answer: bytes = b"HTTP/1.1 204 No Content\r\n\r\n") -> None:
        self.connections = 0
        self.requests: list[bytes] = []
        self.port = 0
        self._answer = answer

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            self.requests.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(self._answer)
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            """The client has left."""
        writer.close()


@asynccontextmanager
async def listening(
    listener: Listener, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Listener]:
    server = await asyncio.start_server(listener.take, "127.0.0.1", 0, ssl=tls)
    listener.port = server.sockets[0].getsockname()[1]
    try:
        yield listener
    finally:
        server.close()


class Attempts(httpcore.AsyncNetworkBackend):
    """Keeps the addresses that would be connected to; whatever they are, it is the listener that takes it."""

    def __init__(self, listener: Listener, fails: Sequence[str] = ()) -> None:
        self.addresses: list[str] = []
        self._listener = listener
        self._fails = fails

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        self.addresses.append(host)
        if host in self._fails:
            raise httpcore.ConnectError("refused by 8.8.8.8")
        return await httpcore.AnyIOBackend().connect_tcp("127.0.0.1", self._listener.port, timeout)

    async def sleep(self, seconds: float) -> None:
        """Do nothing."""


class Names:
    """A resolver that gives these answers in turn."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self._answers: Iterator[Sequence[str]] = iter(answers)

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        return next(self._answers)


@pytest.fixture
def certificates(tmp_path: Path) -> Path:
    ensure_certificates(tmp_path / "certificates")
    return tmp_path / "certificates"


def serving(certificates: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / SERVER)
    return context


def trusting(certificates: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=certificates / AUTHORITY)


INNER_HOSTS = [
    *("127.0.0.1", "localhost", "0x7f000001", "127.1", "2130706433", "0.0.0.0"),
    *("100.64.0.1", "169.254.169.254", "10.0.0.1", "[::ffff:127.0.0.1]", "[64:ff9b::a9fe:a9fe]"),
    *("[2002:7f00:1::]", "[::127.0.0.1]", "[fec0::1]", "[::]", "[::1]", "[ff02::1]"),
]


@pytest.mark.parametrize("host", INNER_HOSTS)
async def test_no_form_of_an_inner_address_is_connected_to(host: str) -> None:
    """Given a listener on loopback; when a URL names it in this form; then nobody connects, anywhere."""
    async with listening(Listener()) as listener:
        attempts = Attempts(listener)
        outbound = Outbound(backend=PublicBackend(connect=attempts))
        outcome = await outbound.post(f"https://{host}:{listener.port}/hook", b"{}", {})
    assert outcome == NotSent(WhyNotSent.ADDRESS)
    assert (attempts.addresses, listener.connections) == ([], 0)


async def test_the_systems_own_resolver_and_connections_are_the_ones_that_are_checked() -> None:
    async with listening(Listener()) as listener:
        outcome = await Outbound().post(f"https://localhost:{listener.port}/", b"", {})
    assert (outcome, listener.connections) == (NotSent(WhyNotSent.ADDRESS), 0)
    assert await resolve("127.1", 443) == ["127.0.0.1"]


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/",
        "ftp://example.org/",
        "https:///path",
        "https://user:secret@example.org/",
        "https://example.org:99999/",
        "https://[::1/",
        "//example.org/",
        "",
    ],
)
async def test_only_https_without_a_login_is_asked(url: str) -> None:
    async with listening(Listener()) as listener:
        attempts = Attempts(listener)
        outbound = Outbound(backend=PublicBackend(Names([PUBLIC]), attempts))
        assert await outbound.post(url, b"", {}) == NotSent(WhyNotSent.URL)
    assert attempts.addresses == []


async def test_a_name_with_one_inner_address_is_refused_altogether() -> None:
    async with listening(Listener()) as listener:
        attempts = Attempts(listener)
        outbound = Outbound(backend=PublicBackend(Names([PUBLIC, "127.0.0.1"]), attempts))
        outcome = await outbound.post("https://example.org/", b"", {})
    assert (outcome, attempts.addresses) == (NotSent(WhyNotSent.ADDRESS), [])


async def test_the_address_that_was_checked_is_the_one_that_is_connected_to(
    certificates: Path,
) -> None:
    """Given a name that leads to loopback from the second answer on; then the first answer is connected to,
    and the next request is refused.
    """
    async with listening(Listener(), serving(certificates)) as listener:
        attempts = Attempts(listener)
        backend = PublicBackend(Names([PUBLIC], ["127.0.0.1"]), attempts)
        outbound = Outbound(backend=backend, tls=trusting(certificates))
        assert await outbound.post("https://localhost/hook", b"{}", {}) == Answered(204)
        outcome = await outbound.post("https://localhost/hook", b"{}", {})
    assert outcome == NotSent(WhyNotSent.ADDRESS)
    assert attempts.addresses == [PUBLIC]


async def test_the_certificate_is_that_of_the_name_and_not_of_the_address(
    certificates: Path,
) -> None:
    async with listening(Listener(), serving(certificates)) as listener:
        backend = PublicBackend(Names(*[[PUBLIC]] * 2), Attempts(listener))
        trusted = Outbound(backend=backend, tls=trusting(certificates))
        assert await trusted.post("https://example.org/", b"", {}) == NotSent(
            WhyNotSent.CERTIFICATE
        )
        assert await Outbound(backend=backend).post("https://localhost/", b"", {}) == NotSent(
            WhyNotSent.CERTIFICATE
        )
    assert listener.requests == []


async def test_the_next_address_is_tried_when_one_does_not_answer(certificates: Path) -> None:
    async with listening(Listener(), serving(certificates)) as listener:
        attempts = Attempts(listener, fails=["1.1.1.1"])
        backend = PublicBackend(Names(["1.1.1.1", PUBLIC], ["1.1.1.1"]), attempts)
        outbound = Outbound(backend=backend, tls=trusting(certificates))
        assert await outbound.post("https://localhost/", b"", {}) == Answered(204)
        assert await outbound.post("https://localhost/", b"", {}) == NotSent(WhyNotSent.CONNECTION)
    assert attempts.addresses == ["1.1.1.1", PUBLIC, "1.1.1.1"]


async def test_a_redirect_is_no_success_and_is_not_followed() -> None:
    """Given a local stack, where loopback is allowed; when it redirects; then one connection was made."""
    location = (
        b"HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n"
    )
    async with listening(Listener(location)) as listener:
        attempts = Attempts(listener)
        outcome = await Outbound(local=True, backend=attempts).post(
            f"http://127.0.0.1:{listener.port}/", b"{}", {}
        )
    assert outcome == Answered(302)
    assert not outcome.succeeded
    assert (attempts.addresses, listener.connections) == (["127.0.0.1"], 1)


async def test_a_local_stack_may_be_asked_over_http() -> None:
    async with listening(Listener()) as listener:
        url = f"http://127.0.0.1:{listener.port}/hook?a=b"
        outcome = await Outbound(local=True).post(url, b"{}", {"content-type": "application/json"})
    assert outcome == Answered(204)
    assert listener.requests[0].startswith(b"POST /hook?a=b HTTP/1.1\r\n")
    assert b"content-type: application/json" in listener.requests[0].lower()


async def test_who_does_not_answer_in_time_or_at_all_is_told_without_an_address() -> None:
    async with listening(Listener(b"")) as listener:
        url = f"http://127.0.0.1:{listener.port}/"
        assert await Outbound(local=True).post(url, b"", {}) == NotSent(WhyNotSent.CONNECTION)
    silent = await asyncio.start_server(lambda _reader, _writer: asyncio.sleep(60), "127.0.0.1", 0)
    async with silent:
        url = f"http://127.0.0.1:{silent.sockets[0].getsockname()[1]}/"
        outcome = await Outbound(local=True, send_s=0.3).post(url, b"", {})
    assert outcome == NotSent(WhyNotSent.TIME)
    assert not any(character.isdigit() for why in WhyNotSent for character in why)


async def test_a_name_that_is_not_found_is_told() -> None:
    outcome = await Outbound().post("https://nowhere.invalid/", b"", {})
    assert outcome == NotSent(WhyNotSent.NAME)
