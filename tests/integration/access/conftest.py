"""What the tests of access ask with: the operations, the places, and a client without a token of its own."""

from collections.abc import AsyncIterator, Sequence

import httpx
import pytest

from deploy.local import LocalStack
from deploy.local.ports import SERVICES
from tests.harness.systems import add_systems
from tests.integration.access.door import Door
from tests.integration.access.operations import Operation, operations_of
from tests.integration.access.places import SYSTEMS, Maker, Places, made_places


@pytest.fixture(scope="session")
async def bare() -> AsyncIterator[httpx.AsyncClient]:
    """A client that adds no token."""
    async with httpx.AsyncClient(timeout=40) as client:
        yield client


@pytest.fixture(scope="session")
async def operations(stack: LocalStack, bare: httpx.AsyncClient) -> Sequence[Operation]:
    """Every operation of every service, as the services say; what takes something away comes last."""
    found: list[Operation] = []
    for service in SERVICES:
        answer = await bare.get(f"{stack.endpoints[service]}/openapi.json")
        found += operations_of(service, answer.json())
    return sorted(found, key=lambda operation: operation.method.lower() == "delete")


@pytest.fixture(scope="session")
async def maker(stack: LocalStack, bare: httpx.AsyncClient) -> Maker:
    """Makes places, for which the systems that serve one practice or pharmacy alone are in the directory."""
    await add_systems(stack, SYSTEMS)
    return Maker(stack, bare)


@pytest.fixture(scope="session")
async def places(maker: Maker) -> Places:
    """Whom the requests concern."""
    return await made_places(maker)


@pytest.fixture(scope="session")
def door(stack: LocalStack, bare: httpx.AsyncClient) -> Door:
    """The running services."""
    return Door(stack, bare)
