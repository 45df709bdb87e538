"""What a service requires of its database at the start: migrations, a role without more rights, and grants."""

import asyncio

import pytest

from deploy.local import LocalStack, free_ports
from deploy.local.processes.services import ServiceAddresses, service_program
from runtime.dsn import database_dsn
from runtime.errors import CannotRun
from runtime.postgres.migrations import MigrationsMissing, migrate
from tests.harness.database import ORDERING, ServiceDatabase, connected, start


async def test_a_service_with_both_addresses_migrates_and_starts(database: ServiceDatabase) -> None:
    await start(database.runtime, database.owner)
    async with connected(database.runtime) as runtime:
        assert await runtime.fetchval("select count(*) from migrations") == len(ORDERING)


async def test_without_its_owner_a_service_starts_on_migrated_tables(
    migrated: ServiceDatabase,
) -> None:
    await start(migrated.runtime)


async def test_without_its_owner_a_service_does_not_start_on_older_tables(
    database: ServiceDatabase,
) -> None:
    with pytest.raises(MigrationsMissing, match=r"the first is runtime/0001_.*DATABASE_OWNER"):
        await start(database.runtime)
    async with connected(database.owner) as owner:
        await migrate(owner, ORDERING[:-1])
    with pytest.raises(MigrationsMissing, match=f"1 migrations .* is {ORDERING[-1].name}"):
        await start(database.runtime)


async def test_a_service_does_not_run_as_a_superuser(migrated: ServiceDatabase) -> None:
    with pytest.raises(CannotRun, match="a superuser: a service runs as a role that reads and"):
        await start(migrated.admin)


async def test_a_service_does_not_run_as_its_owner(migrated: ServiceDatabase) -> None:
    with pytest.raises(CannotRun, match="_owner, which may create or change tables"):
        await start(migrated.owner)


async def test_a_service_that_lacks_a_grant_does_not_start(migrated: ServiceDatabase) -> None:
    """Otherwise it would fail at the first record that needs it."""
    async with connected(migrated.owner) as owner:
        await owner.execute(f'revoke update on orders, timers from "{migrated.name}"')
    with pytest.raises(CannotRun, match=r"may not select.* in orders, timers: their owner"):
        await start(migrated.runtime)


async def test_a_table_that_somebody_else_added_is_none_of_the_services(
    migrated: ServiceDatabase,
) -> None:
    async with connected(migrated.admin) as admin:
        await admin.execute("create table report (id int)")
    await start(migrated.runtime)


async def test_a_process_that_may_do_too_much_ends_with_the_reason(stack: LocalStack) -> None:
    admin = ServiceAddresses(
        stack.kafka, database_dsn(stack.postgres, "metrics"), "json", stack.issuers
    )
    port = free_ports().services["metrics"]
    program = service_program("metrics", "metrics-admin", port, "api", admin, stack.data)
    process = await asyncio.create_subprocess_exec(
        *program.argv,
        env=program.env,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await asyncio.wait_for(process.communicate(), 40)
    assert process.returncode == 1
    assert b"a superuser: a service runs as a role that reads and writes rows" in output
