"""Loop, API and checks have separate pools, with settings for their kind of queries and bounded waits."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from runtime.errors import CannotRun
from runtime.postgres.migrations import Migration
from runtime.postgres.pool import API_WAIT_S, CHECKS_CONNECTIONS, Pool, Pools, open_pools
from tests.harness.database import ServiceDatabase

LOOP, API = 4, 3


@pytest.fixture
async def pools(database: ServiceDatabase) -> AsyncIterator[Pools]:
    """Open a service's pools on a database without tables."""
    opened = await open_pools(database.runtime, database.owner, (), LOOP, API)
    try:
        yield opened
    finally:
        await opened.close()


async def setting(pool: Pool, name: str) -> str:
    """Return a setting of a session of this pool."""
    found: str = await pool.fetchval(f"show {name}")
    return found


async def test_only_the_loop_and_the_checks_are_planned_by_key(pools: Pools) -> None:
    for pool in (pools.loop, pools.checks):
        assert await setting(pool, "enable_seqscan") == "off"
        assert await setting(pool, "plan_cache_mode") == "force_generic_plan"
    assert await setting(pools.api, "enable_seqscan") == "on"
    assert await setting(pools.api, "plan_cache_mode") == "auto"


async def test_every_session_bounds_its_statements(pools: Pools) -> None:
    for pool in (pools.loop, pools.api, pools.checks):
        assert await setting(pool, "statement_timeout") == "15s"


async def test_requests_that_hold_every_connection_of_the_api_starve_nobody_else(
    pools: Pools,
) -> None:
    """Given requests that hold all connections of the API; then the next fails, and loop and checks go on."""
    async with AsyncExitStack() as requests:
        for _ in range(API):
            await requests.enter_async_context(pools.api.acquire())
        began_s = time.monotonic()
        with pytest.raises(TimeoutError):
            await requests.enter_async_context(pools.api.acquire())
        assert time.monotonic() - began_s < API_WAIT_S + 2
        assert await pools.loop.fetchval("select 1") == 1
        assert await pools.checks.fetchval("select 1") == 1
    assert await pools.api.fetchval("select 1") == 1


async def test_checks_that_hold_all_their_connections_take_none_of_the_loop(pools: Pools) -> None:
    async with AsyncExitStack() as checks:
        for _ in range(CHECKS_CONNECTIONS):
            await checks.enter_async_context(pools.checks.acquire())
        assert await pools.loop.fetchval("select 1") == 1


async def test_the_loop_waits_for_a_connection_no_longer_than_it_may(pools: Pools) -> None:
    pools.loop.wait_s = 0.2
    async with AsyncExitStack() as batches:
        for _ in range(LOOP):
            await batches.enter_async_context(pools.loop.acquire())
        with pytest.raises(TimeoutError):
            await pools.loop.fetchval("select 1")


async def test_a_migration_that_lacks_a_privilege_ends_the_start(database: ServiceDatabase) -> None:
    """Given a migration that reads a file of the server; then the start fails without a retry."""
    refused = Migration("things/0001_refused.sql", "select pg_read_file('postgresql.conf')")
    async with asyncio.timeout(10):
        with pytest.raises(CannotRun, match=r"HERHAAL_DATABASE_OWNER may not .* pg_read_file"):
            await open_pools(database.runtime, database.owner, [refused], LOOP, API)
