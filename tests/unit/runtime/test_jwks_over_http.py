"""Keys from a real issuer on loopback: one that answers, fails, hangs, or answers what it should not."""

import asyncio
import gzip
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from runtime.http.jwks import fetch_keys
from runtime.http.tokens import InvalidToken, TokenVerifier
from tests.harness.certificates import self_made_certificate
from tests.unit.runtime.token_issuer import Clock, MadeUpIssuer

HANGS = b"hangs"
DRIPS = b"drips"


def _answer(status: str, body: bytes, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


class Server:
    """A small HTTP server. It gives one answer to every request, and counts them."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self.requests: list[bytes] = []
        self.url = ""

    @asynccontextmanager
    async def listening(self, tls: ssl.SSLContext | None = None) -> AsyncIterator["Server"]:
        """Listen on a free port of loopback."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=tls)
        port = server.sockets[0].getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{port}/keys"
        try:
            yield self
        finally:
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.requests.append(await reader.readuntil(b"\r\n\r\n"))
        if self.answer == HANGS:
            await reader.read()
        elif self.answer == DRIPS:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 90000\r\n\r\n")
            while not reader.at_eof() and not writer.is_closing():
                writer.write(b" ")
                await asyncio.sleep(0.2)
        else:
            writer.write(self.answer)
        writer.close()


def _keys(issuer: MadeUpIssuer) -> bytes:
    return _answer("200 OK", issuer.document())


ISSUER = MadeUpIssuer()

FAILURES: Mapping[str, bytes] = {
    "500": _answer("500 Internal Server Error", ISSUER.document()),
    "404": _answer("404 Not Found", ISSUER.document()),
    "redirect": _answer("302 Found", ISSUER.document(), "Location: http://127.0.0.1:1/keys"),
    "no keys": _answer("200 OK", b'{"keys":[]}'),
    "too large": _answer("200 OK", ISSUER.document() + b" " * 100_000),
    "compressed": _answer(
        "200 OK", gzip.compress(ISSUER.document() + b" " * 10_000_000), "Content-Encoding: gzip"
    ),
    "no HTTP": b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
    "cut off": _answer("200 OK", ISSUER.document())[:-10],
    "closed": b"",
}


async def _refusals(verifier: TokenVerifier, tokens: list[str]) -> list[str]:
    judged = await asyncio.gather(*map(verifier.verify, tokens), return_exceptions=True)
    return [each.code for each in judged if isinstance(each, InvalidToken)]


@asynccontextmanager
async def _known(clock: Callable[[], float]) -> AsyncIterator[tuple[TokenVerifier, Server]]:
    """A verifier that has fetched the keys."""
    async with Server(_keys(ISSUER)).listening() as server:
        verifier = TokenVerifier([ISSUER.issuer(jwks=server.url)], clock=clock)
        await verifier.verify(ISSUER.token())
        try:
            yield verifier, server
        finally:
            await verifier.close()


@pytest.mark.parametrize("now", ["keys", *FAILURES])
async def test_500_random_key_ids_cost_one_fetch_in_ten_seconds_and_no_valid_token(
    now: str,
) -> None:
    """Whatever the issuer answers by then. The valid tokens are new ones, so none is remembered."""
    clock = Clock()
    async with _known(clock) as (verifier, server):
        server.answer = FAILURES.get(now, _keys(ISSUER))
        server.requests.clear()
        for round_ in range(10):
            clock.now += 2.5
            random = [ISSUER.token({"kid": f"random-{round_}-{n}"}) for n in range(50)]
            valid = [ISSUER.token(sub=f"u-{round_}-{n}") for n in range(10)]
            refused, _ = await asyncio.gather(
                _refusals(verifier, random), asyncio.gather(*map(verifier.verify, valid))
            )
            assert refused == ["key"] * 50
        assert 2 <= len(server.requests) <= 3


@pytest.mark.parametrize("hanging", [HANGS, DRIPS])
async def test_while_the_issuer_hangs_valid_tokens_do_not_wait(hanging: bytes) -> None:
    clock = Clock()
    async with _known(clock) as (verifier, server):
        server.answer = hanging
        server.requests.clear()
        clock.now += 10
        random = [ISSUER.token({"kid": f"random-{n}"}) for n in range(500)]
        refusing = asyncio.create_task(_refusals(verifier, random))
        await asyncio.sleep(0.3)
        for number in range(50):
            assert await verifier.verify(ISSUER.token(sub=f"u-{number}"))
        assert not refusing.done()
        async with asyncio.timeout(10):
            assert await refusing == ["key"] * 500
        assert len(server.requests) == 1


async def test_a_new_key_is_fetched_when_a_token_names_it() -> None:
    clock, newer = Clock(), MadeUpIssuer(kid="key-2")
    async with _known(clock) as (verifier, server):
        server.answer = _keys(newer)
        clock.now += 10
        assert await verifier.verify(newer.token())


@pytest.mark.parametrize("failure", sorted(FAILURES.keys() - {"no keys", "compressed"}))
async def test_what_is_no_proper_answer_is_an_error(failure: str) -> None:
    async with Server(FAILURES[failure]).listening() as server:
        with pytest.raises((httpx.HTTPError, ValueError)):
            await fetch_keys(server.url)


async def test_a_compressed_answer_is_never_unpacked() -> None:
    async with Server(FAILURES["compressed"]).listening() as server:
        assert len(await fetch_keys(server.url)) < 100_000
        assert b"accept-encoding: identity" in server.requests[0].lower()


def _nobodys_tls(folder: Path) -> ssl.SSLContext:
    """TLS for 127.0.0.1 with a certificate that nobody vouches for."""
    certificate = self_made_certificate()
    pem = folder / "issuer.pem"
    pem.write_bytes(certificate.key + certificate.chain)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pem)
    return context


async def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    server = Server(_keys(ISSUER))
    async with server.listening(_nobodys_tls(tmp_path)):
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            await fetch_keys(server.url)
    assert server.requests == []
