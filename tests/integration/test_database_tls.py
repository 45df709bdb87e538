"""`sslmode=verify-full`: which server is trusted.

The local stack's PostgreSQL is built without TLS, so what is asked here is a terminator of TLS before it.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from deploy.local import LocalStack
from deploy.local.postgres.databases import owner_dsn, service_dsn
from tests.harness.certificates import self_made_certificate
from tests.harness.database import ServiceDatabase, start

SSL_REQUEST = bytes.fromhex("0000000804d2162f")


@dataclass
class Terminator:
    """Speaks TLS with clients, by PostgreSQL's protocol, and plain text with the server behind it."""

    host: str
    port: int
    tls: ssl.SSLContext
    encrypted: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one client, which must begin with TLS."""
        assert await reader.readexactly(8) == SSL_REQUEST
        writer.write(b"S")
        with suppress(ssl.SSLError, ConnectionError):
            await writer.start_tls(self.tls)
            self.encrypted += 1
            server_reader, server_writer = await asyncio.open_connection(self.host, self.port)
            await asyncio.gather(_copy(reader, server_writer), _copy(server_reader, writer))


async def _copy(source: asyncio.StreamReader, into: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await source.read(65536):
            into.write(data)
            await into.drain()
    into.close()


@dataclass(frozen=True)
class Encrypted:
    """An administrator's address through a terminator, without `sslmode`, and the certificates to know."""

    dsn: str
    terminator: Terminator
    known: Path
    unknown: Path

    def verified(self, certificates: Path, host: str = "127.0.0.1") -> str:
        """The address that trusts a server with one of these certificates for this host."""
        return (
            self.dsn.replace("127.0.0.1", host) + f"?sslmode=verify-full&sslrootcert={certificates}"
        )


@pytest.fixture
async def encrypted(stack: LocalStack, tmp_path: Path) -> AsyncIterator[Encrypted]:
    """Run a terminator of TLS before the stack's PostgreSQL."""
    certificate = self_made_certificate()
    known, unknown, key = (tmp_path / name for name in ("known", "unknown", "key"))
    known.write_bytes(certificate.chain)
    unknown.write_bytes(self_made_certificate().chain)
    key.write_bytes(certificate.key)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(known, key)
    server = urlsplit(stack.postgres)
    assert server.hostname is not None
    assert server.port is not None
    terminator = Terminator(server.hostname, server.port, context)
    async with await asyncio.start_server(terminator.serve, "127.0.0.1") as listening:
        port = listening.sockets[0].getsockname()[1]
        netloc = server.netloc.replace(f":{server.port}", f":{port}")
        yield Encrypted(server._replace(netloc=netloc).geturl(), terminator, known, unknown)


async def test_the_administrators_tls_is_that_of_both_roles(
    encrypted: Encrypted, database: ServiceDatabase
) -> None:
    """Given an administrator's address that verifies the server; then a service migrates and runs over TLS."""
    admin = encrypted.verified(encrypted.known)
    await start(service_dsn(admin, database.name), owner_dsn(admin, database.name))
    assert encrypted.terminator.encrypted >= 2


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_an_unknown_certificate_or_another_name_is_refused(
    encrypted: Encrypted, host: str
) -> None:
    """The certificate is for 127.0.0.1."""
    certificates = encrypted.unknown if host == "127.0.0.1" else encrypted.known
    with pytest.raises(ssl.SSLCertVerificationError):
        await asyncpg.connect(encrypted.verified(certificates, host))
    assert encrypted.terminator.encrypted == 0


async def test_a_server_without_tls_is_refused(stack: LocalStack, encrypted: Encrypted) -> None:
    with pytest.raises(ConnectionError, match="rejected SSL upgrade"):
        await asyncpg.connect(f"{stack.postgres}?sslmode=verify-full&sslrootcert={encrypted.known}")
