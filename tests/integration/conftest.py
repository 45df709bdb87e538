"""One stack for all integration tests: real Kafka and PostgreSQL, all four services, a directory.

`--stack local` starts our own servers; `--stack containers` takes them from images, the tests are the same.
"""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from cli.directory import apply_directory, read_directory

from cli.up import start_everything
from deploy.local import LocalStack, StackOptions
from deploy.local.ports import free_ports
from tests.harness.containers import containers

EXAMPLE = Path(__file__).parents[2] / "deploy" / "example" / "directory.yaml"


@pytest.fixture(scope="session")
def servers(request: pytest.FixtureRequest) -> Iterator[tuple[str | None, str | None]]:
    """Addresses of Kafka and PostgreSQL in containers, or None for our own."""
    if request.config.getoption("--stack") == "local":
        yield None, None
        return
    images = (
        request.config.getoption("--kafka-image"),
        request.config.getoption("--postgres-image"),
    )
    with containers(*images) as addresses:
        yield addresses


@pytest.fixture(scope="session")
async def stack(
    tmp_path_factory: pytest.TempPathFactory, servers: tuple[str | None, str | None]
) -> AsyncIterator[LocalStack]:
    """Everything, running."""
    ports = free_ports()
    kafka, postgres = servers
    options = StackOptions(
        tmp_path_factory.mktemp("stack"),
        ports.base,
        ports.kafka,
        external_kafka=kafka,
        external_postgres=postgres,
    )
    async with LocalStack(options) as running:
        await start_everything(running)
        await apply_directory(running.kafka, read_directory(EXAMPLE))
        yield running


@pytest.fixture(scope="session")
async def http() -> AsyncIterator[httpx.AsyncClient]:
    """A client without a base address."""
    async with httpx.AsyncClient(timeout=40) as client:
        yield client
