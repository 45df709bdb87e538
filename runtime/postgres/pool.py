"""The pools of connections to a service's own database, with a bound on everything that can take long.

The loop, the API and the checks (readiness, metrics, watchdog) each have connections of their own, so that
none of them can take those that another waits for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import asyncpg
import structlog

from runtime.backoff import Backoff
from runtime.errors import is_transient
from runtime.postgres import migrations
from runtime.postgres.migrations import Migration

log = structlog.get_logger()

COMMAND_S = 20
"""How long a statement may take, by our clock; the server gives it up a little earlier by its own."""

LOOP_WAIT_S = 5.0
"""How long the loop waits for a connection; then its batch is tried again."""

API_WAIT_S = 2.0
"""How long a request waits for a connection; then it is answered with 503."""

CHECKS_WAIT_S = 2.0

CHECKS_CONNECTIONS = 2

SESSION = {
    "application_name": "herhaal",
    "statement_timeout": "15s",
    # Shorter, so that waiting for another session's lock differs from a statement that takes too long.
    "lock_timeout": "10s",
    # A client that vanished holds its locks until the server notices.
    "idle_in_transaction_session_timeout": "10s",
    "tcp_user_timeout": "10s",
    "tcp_keepalives_idle": "4",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
    "client_connection_check_interval": "2s",
}
"""What each of our sessions asks of the server, in PostgreSQL's words; it plans as it does by itself."""

LOOP_SESSION = SESSION | {
    # Every statement of the loop finds its rows by key. A plan made while a table had few rows is kept until
    # the server analyses the table again, and would read all of it for each batch meanwhile. A join may
    # still do so by an index, so there are none: `any`, `on conflict` and lateral parts with a limit instead.
    "enable_seqscan": "off",
    # So a plan for these arguments is none other than the plan for any, and making it took longer than carrying
    # it out: 0.16 ms of 0.22 for the orders that one request brings.
    "plan_cache_mode": "force_generic_plan",
}
"""What the loop's sessions ask for besides: plans by key."""

_NOT_MADE_YET = (
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InsufficientPrivilegeError,
)
"""The server is there, but the service's role or database is not made yet."""

if TYPE_CHECKING:
    _Pool = asyncpg.Pool[asyncpg.Record]
else:
    _Pool = asyncpg.Pool


class Pool(_Pool):
    """asyncpg's pool, in which every wait has an end."""

    wait_s = LOOP_WAIT_S
    """How long to wait for a connection, and for one to end its statement when it is given back."""

    def acquire(self, *, timeout: float | None = None) -> Any:
        """A connection, as a context manager. Raises TimeoutError when none is free in time."""
        return super().acquire(timeout=self.wait_s if timeout is None else timeout)


@dataclass(frozen=True)
class Pools:
    """A service's connections, by who uses them."""

    loop: Pool
    """Plans by key; only the worker uses it."""
    api: Pool
    """PostgreSQL's ordinary planning; only requests use it."""
    checks: Pool
    """Readiness, metrics and the watchdog, which requests must not be able to starve."""

    async def close(self) -> None:
        """Close all connections, those of the API first."""
        for pool in (self.api, self.checks, self.loop):
            await pool.close()


async def open_pools(
    dsn: str, wanted: Sequence[Migration], loop_connections: int, api_connections: int
) -> Pools:
    """Connect and migrate, however long the server, the role or the database is not there yet.

    Raises:
        MigrationChanged: the database is not what the code expects.
    """
    loop = await open_loop_pool(dsn, wanted, loop_connections)
    # The others without a connection yet: the server may be away again by now.
    api = await _opened(dsn, 0, api_connections, SESSION, API_WAIT_S)
    checks = await _opened(dsn, 0, CHECKS_CONNECTIONS, LOOP_SESSION, CHECKS_WAIT_S)
    return Pools(loop, api, checks)


async def open_loop_pool(dsn: str, wanted: Sequence[Migration], connections: int = 5) -> Pool:
    """The loop's pool alone, on a migrated database; waits and raises as `open_pools`."""
    backoff = Backoff()
    while True:
        try:
            return await _migrated(dsn, wanted, connections)
        except Exception as error:
            if not is_transient(error) and not isinstance(error, _NOT_MADE_YET):
                raise
            log.warning("waiting for PostgreSQL", error=type(error).__name__)
            await backoff.wait()


async def _migrated(dsn: str, wanted: Sequence[Migration], connections: int) -> Pool:
    pool = await _opened(dsn, 1, connections, LOOP_SESSION, LOOP_WAIT_S)
    try:
        async with pool.acquire() as db:
            await migrations.migrate(db, wanted)
    except BaseException:
        pool.terminate()
        raise
    return pool


async def _opened(
    dsn: str, at_least: int, at_most: int, session: Mapping[str, str], wait_s: float
) -> Pool:
    pool = Pool(
        dsn,
        min_size=at_least,
        max_size=at_most,
        max_queries=50_000,
        max_inactive_connection_lifetime=300.0,
        loop=None,
        connection_class=asyncpg.Connection,
        record_class=asyncpg.Record,
        timeout=5,
        command_timeout=COMMAND_S,
        server_settings=dict(session),
        reset=_leave_as_it_is,
    )
    pool.wait_s = wait_s
    await pool
    return pool


async def _leave_as_it_is(_: Any) -> None:
    """Besides ending a transaction, which asyncpg sees to, a connection needs nothing before its next use.

    No setting, lock or cursor of ours outlives its transaction, and to reset them is a round trip each time.
    """
