"""A service with a certificate: encrypted, so that it may listen elsewhere than on loopback."""

import asyncio
import ssl
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from deploy.local import LocalStack, free_ports
from deploy.local.certificates import AUTHORITY, SERVER, ensure_certificates
from deploy.local.processes.process import Program
from deploy.local.processes.supervisor import Child
from schemas.access import Party
from tests.harness.kafka import eventually


async def test_a_service_with_a_certificate_listens_everywhere_and_asks_for_tokens(
    stack: LocalStack, tmp_path: Path
) -> None:
    """Given a certificate and an issuer; then 0.0.0.0 is allowed, over HTTPS only."""
    ensure_certificates(tmp_path / "certificates")
    port = free_ports().base
    program = _listening(stack, port, tmp_path / "certificates" / SERVER)
    child = Child(program, _always_ready, stack.report)
    await child.start()
    trusted = ssl.create_default_context(cafile=tmp_path / "certificates" / AUTHORITY)
    try:
        async with httpx.AsyncClient(verify=trusted, base_url=f"https://127.0.0.1:{port}") as http:

            async def status(path: str, **headers: str) -> int:
                try:
                    return (await http.get(path, headers=headers)).status_code
                except httpx.TransportError:
                    return 0

            await eventually(lambda: status("/readyz"), lambda code: code == 200)
            feed = "/patients/pat_nobody01/orders"
            assert await status(feed) == 401
            token = stack.token(Party.PATIENT, patients=("pat_nobody01",))
            assert await status(feed, authorization=f"Bearer {token}") == 200
            said = (await http.get(feed)).headers
            assert said["strict-transport-security"] == "max-age=31536000; includeSubDomains"
            assert "server" not in said
        for ciphers, agreed in (("ECDHE+AESGCM", True), ("AES128-SHA", False)):
            trusted.maximum_version = ssl.TLSVersion.TLSv1_2
            trusted.set_ciphers(ciphers)
            assert await _agree(port, trusted) is agreed
        async with httpx.AsyncClient() as plain:
            with pytest.raises(httpx.TransportError):
                await plain.get(f"http://127.0.0.1:{port}/livez")
    finally:
        await child.stop(8)


def _listening(stack: LocalStack, port: int, certificate: Path) -> Program:
    """ordering's API, as the stack runs it, but encrypted and on every address."""
    running = stack.process("ordering").program
    env = {
        **running.env,
        "HERHAAL_LISTEN": f"0.0.0.0:{port}",
        "HERHAAL_CERTIFICATE": str(certificate),
    }
    log = stack.data.logs / "ordering-https.log"
    return replace(
        running, name="ordering-https", argv=[*running.argv, "--only", "api"], env=env, log=log
    )


async def _agree(port: int, tls: ssl.SSLContext) -> bool:
    """Tell whether the service and this client have a cipher in common."""
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=tls)
    except (ssl.SSLError, ConnectionError):
        return False
    writer.close()
    return True


async def _always_ready() -> str | None:
    return None
