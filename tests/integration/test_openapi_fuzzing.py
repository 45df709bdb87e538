"""Requests made from ordering's OpenAPI document, valid and invalid: none is answered with a 5xx."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from deploy.local import LocalStack, free_ports
from deploy.local.processes.services import ServiceAddresses, readyz_probe, service_program, url
from deploy.local.processes.supervisor import Child
from schemas.access import Party
from tests.harness.made import PHARMACY, PRACTICE


async def test_whatever_its_openapi_document_allows_and_more_is_never_a_5xx(
    stack: LocalStack, tmp_path: Path
) -> None:
    """Given an instance that asks for no token; then requests get past the door to every line behind it."""
    async with _without_door(stack) as address:
        await _fuzzed(address, tmp_path, 15)


@pytest.mark.parametrize(
    ("role", "scope"),
    [
        (Party.PATIENT, {"patients": ("pat_anna0001",)}),
        (Party.GP, {"practice": PRACTICE}),
        (Party.PHARMACIST, {"pharmacy": PHARMACY}),
        (Party.REGION, {"region": "Lindewaard"}),
        (Party.PORTAL, {"sub": "lindewaard-portal"}),
    ],
)
async def test_no_role_gets_a_5xx_or_past_the_door_without_its_token(
    stack: LocalStack, tmp_path: Path, role: Party, scope: dict[str, Any]
) -> None:
    token = stack.token(role, **scope)
    await _fuzzed(stack.endpoints["ordering"], tmp_path, 5, f"Authorization: Bearer {token}")


@asynccontextmanager
async def _without_door(stack: LocalStack) -> AsyncIterator[str]:
    """Run ordering's API without an issuer."""
    port = free_ports().services["ordering"]
    servers = ServiceAddresses(stack.kafka_as("ordering"), stack.databases["ordering"], "json")
    program = service_program("ordering", "ordering-open", port, "api", servers, stack.data)
    child = Child(program, readyz_probe(port), stack.report)
    await child.start()
    try:
        await child.ready(40)
        yield url(port)
    finally:
        await child.stop(8)


async def _fuzzed(address: str, folder: Path, seconds: int, *headers: str) -> None:
    checks = "not_a_server_error,ignored_auth" if headers else "not_a_server_error"
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).parent / "schemathesis"),
        *("run", f"{address}/openapi.json", "--checks", checks),
        *(part for header in headers for part in ("--header", header)),
        *("--max-examples", "8", "--phases", "examples,coverage,fuzzing"),
        *("--max-time", str(seconds), "--generation-deterministic", "--no-color"),
        *("--suppress-health-check", "all"),
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()[-5000:]
