"""Connection pools for a service's database, with a timeout on every wait.

The loop, the API and the checks (readiness, metrics, watchdog) have separate pools, so that none of them can
starve another.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import asyncpg
import structlog

from runtime.backoff import Backoff
from runtime.errors import NotReady, is_transient
from runtime.postgres import migrations
from runtime.postgres.migrations import Migration

log = structlog.get_logger()

COMMAND_S = 20
"""Client-side timeout of a statement; the server's `statement_timeout` is a little shorter."""

LOOP_WAIT_S = 5.0
"""How long the loop waits for a connection. After that, the batch is retried."""

API_WAIT_S = 2.0
"""How long a request waits for a connection. After that, the answer is 503."""

CHECKS_WAIT_S = 2.0

CHECKS_CONNECTIONS = 2

SESSION = {
    "application_name": "herhaal",
    "statement_timeout": "15s",
    # Shorter than the statement timeout, so that a lock of another session has an error of its own.
    "lock_timeout": "10s",
    # The locks of a client that disappeared are released as soon as the server notices.
    "idle_in_transaction_session_timeout": "10s",
    "tcp_user_timeout": "10s",
    "tcp_keepalives_idle": "4",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
    "client_connection_check_interval": "2s",
}
"""PostgreSQL settings of every session; none of them changes planning."""

LOOP_SESSION = SESSION | {
    # Every statement of the loop finds its rows by key. Without this, a plan that was made while a table was
    # small reads the whole table in every batch until the next ANALYZE. A join may still scan a whole index,
    # so the loop uses `any`, `on conflict` and lateral subqueries with a limit instead of joins.
    "enable_seqscan": "off",
    # Plans by key do not depend on the arguments, and planning takes longer than execution: 0.16 of 0.22 ms
    # for the orders of one request.
    "plan_cache_mode": "force_generic_plan",
}
"""Settings of the loop's sessions: always plan by key."""

_NOT_MADE_YET = (
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InsufficientPrivilegeError,
)
"""The server answers, but the service's role or database does not exist yet."""

if TYPE_CHECKING:
    _Pool = asyncpg.Pool[asyncpg.Record]
else:
    _Pool = asyncpg.Pool


class Pool(_Pool):
    """asyncpg's pool, with a timeout on every wait."""

    wait_s = LOOP_WAIT_S
    """How long to wait for a free connection, and for a released one to end its statement."""

    def acquire(self, *, timeout: float | None = None) -> Any:
        """A connection, as a context manager. Raises TimeoutError when none becomes free in time."""
        return super().acquire(timeout=self.wait_s if timeout is None else timeout)


@dataclass(frozen=True)
class Pools:
    """A service's pools, by user."""

    loop: Pool
    """For the worker only; plans by key."""
    api: Pool
    """For requests only; PostgreSQL's ordinary planning."""
    checks: Pool
    """For readiness, metrics and the watchdog."""

    async def close(self) -> None:
        """Close all connections, the API's first."""
        for pool in (self.api, self.checks, self.loop):
            await pool.close()


async def open_pools(
    dsn: str, wanted: Sequence[Migration], loop_connections: int, api_connections: int
) -> Pools:
    """Connect and migrate; wait as long as the server, the role or the database does not exist yet.

    Raises:
        MigrationChanged: an applied migration was changed or removed.
    """
    loop = await open_loop_pool(dsn, wanted, loop_connections)
    # These connect on first use, as the server may be away again by now.
    api = await _open(dsn, 0, api_connections, SESSION, API_WAIT_S)
    checks = await _open(dsn, 0, CHECKS_CONNECTIONS, LOOP_SESSION, CHECKS_WAIT_S)
    return Pools(loop, api, checks)


async def open_loop_pool(dsn: str, wanted: Sequence[Migration], connections: int = 5) -> Pool:
    """Open only the loop's pool and migrate; wait and raise as `open_pools`."""
    backoff = Backoff()
    while True:
        try:
            return await _open_and_migrate(dsn, wanted, connections)
        except Exception as error:
            if not is_transient(error):
                raise
            log.warning("waiting for PostgreSQL", error=type(error.__cause__ or error).__name__)
            await backoff.wait()


async def _open_and_migrate(dsn: str, wanted: Sequence[Migration], connections: int) -> Pool:
    try:
        pool = await _open(dsn, 1, connections, LOOP_SESSION, LOOP_WAIT_S)
    except _NOT_MADE_YET as error:
        # Only while connecting: a migration that lacks a privilege would wait for ever.
        raise NotReady from error
    try:
        async with pool.acquire() as db:
            await migrations.migrate(db, wanted)
    except BaseException:
        pool.terminate()
        raise
    return pool


async def _open(
    dsn: str, min_size: int, max_size: int, session: Mapping[str, str], wait_s: float
) -> Pool:
    pool = Pool(
        dsn,
        min_size=min_size,
        max_size=max_size,
        max_queries=50_000,
        max_inactive_connection_lifetime=300.0,
        loop=None,
        connection_class=asyncpg.Connection,
        record_class=asyncpg.Record,
        timeout=5,
        command_timeout=COMMAND_S,
        server_settings=dict(session),
        reset=_skip_reset,
    )
    pool.wait_s = wait_s
    await pool
    return pool


async def _skip_reset(_: Any) -> None:
    """Do nothing: none of our settings, locks and cursors outlives its transaction, which asyncpg ends.

    asyncpg's own reset takes a round trip each time.
    """
