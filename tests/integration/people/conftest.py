"""An assistant who asks about people."""

from collections.abc import AsyncIterator

import httpx
import pytest

from deploy.local import LocalStack
from tests.integration.people.client import Client


@pytest.fixture(scope="session")
async def assistant(stack: LocalStack) -> AsyncIterator[Client]:
    """An assistant of the tests' practice."""
    async with httpx.AsyncClient(timeout=40) as http:
        yield Client(stack, http)
