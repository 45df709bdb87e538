"""One stack for all integration tests: Kafka, PostgreSQL, the four services and the example directory.

`--stack local` starts the stack's own servers; `--stack containers` starts them from images.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path

import asyncpg
import httpx
import pytest
from docker.errors import DockerException  # type: ignore[import-untyped]

from cli.directory import apply_directory, read_directory
from cli.up import start_everything
from deploy.local import LocalStack, StackOptions
from deploy.local.ports import free_ports
from runtime.dsn import database_dsn
from runtime.postgres.migrations import migrate
from samples.callers import Permitted
from tests.harness.containers import Containers, ContainerStack, containers
from tests.harness.database import (
    ORDERING,
    ServiceDatabase,
    connected,
    service_database,
    unused_name,
)
from tests.harness.systems import TEST_PORTAL, add_systems, portal_of_tests

EXAMPLE = Path(__file__).parents[2] / "deploy" / "example" / "directory.yaml"


@pytest.fixture(scope="session")
def servers(request: pytest.FixtureRequest) -> Iterator[Containers | None]:
    """Start Kafka and PostgreSQL in containers; None with `--stack local`."""
    if request.config.getoption("--stack") == "local":
        yield None
        return
    images = (
        request.config.getoption("--kafka-image"),
        request.config.getoption("--postgres-image"),
    )
    with ExitStack() as running:
        try:
            started = running.enter_context(containers(*images))
        except (DockerException, TimeoutError, RuntimeError) as error:
            pytest.exit(f"The containers ({', '.join(images)}) did not start: {error}", 1)
        yield started


@pytest.fixture(scope="session")
async def stack(
    tmp_path_factory: pytest.TempPathFactory, servers: Containers | None
) -> AsyncIterator[LocalStack]:
    """Start the servers and all services, and publish the example directory."""
    options = StackOptions.at(tmp_path_factory.mktemp("stack"), free_ports())
    async with (
        LocalStack(options) if servers is None else ContainerStack(options, servers) as running
    ):
        await start_everything(running)
        await apply_directory(running.kafka, read_directory(EXAMPLE))
        await add_systems(running, [portal_of_tests()])
        yield running


@pytest.fixture
async def scratch(stack: LocalStack) -> AsyncIterator[str]:
    """Create an empty database for one test; yield its address."""
    name = unused_name()
    admin = await asyncpg.connect(stack.postgres)
    await admin.execute(f'create database "{name}"')
    try:
        yield database_dsn(stack.postgres, name)
    finally:
        await admin.execute(f'drop database "{name}" with (force)')
        await admin.close()


@pytest.fixture
async def database(stack: LocalStack) -> AsyncIterator[ServiceDatabase]:
    """Create an empty database with a service's two roles for one test."""
    async with service_database(stack.postgres) as made:
        yield made


@pytest.fixture
async def migrated(database: ServiceDatabase) -> ServiceDatabase:
    """Migrate ordering's tables as their owner."""
    async with connected(database.owner) as owner:
        await migrate(owner, ORDERING)
    return database


@pytest.fixture(scope="session")
async def http(stack: LocalStack) -> AsyncIterator[httpx.AsyncClient]:
    """A client whose requests have tokens of somebody who may send them."""
    async with httpx.AsyncClient(timeout=40, auth=Permitted(stack.token, TEST_PORTAL)) as client:
        yield client
