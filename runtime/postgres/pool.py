"""Connection pools for a service's database, with a timeout on every wait.

The loop, the API and the checks (readiness, metrics, watchdog) have separate pools, so that none of them can
starve another.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import asyncpg
import structlog

from runtime.backoff import Backoff
from runtime.errors import CannotRun, NotReady, is_transient
from runtime.postgres import migrations, parts, roles
from runtime.postgres.migrations import Migration
from runtime.postgres.sessions import LOOP_SESSION, SESSION

T = TypeVar("T")

log = structlog.get_logger()

COMMAND_S = 20
"""Client-side timeout of a statement; the server's `statement_timeout` is a little shorter."""

LOOP_WAIT_S = 5.0
"""How long the loop waits for a connection. After that, the batch is retried."""

API_WAIT_S = 2.0
"""How long a request waits for a connection. After that, the answer is 503."""

CHECKS_WAIT_S = 2.0

CHECKS_CONNECTIONS = 2

_NOT_MADE_YET = (
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
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
    dsn: str,
    owner: str | None,
    wanted: Sequence[Migration],
    loop_connections: int,
    api_connections: int,
) -> Pools:
    """Migrate with the `owner`'s DSN, if any, and connect; wait as long as the server, a role or the database
    does not exist yet.

    Raises:
        MigrationChanged: an applied migration was changed or removed.
        MigrationsMissing: there is no owner, and migrations are not applied.
        CannotRun: the role of `dsn` may do more than read and write rows, or less.
    """
    if owner is not None:
        await _wait_for_server(lambda: _migrate(owner, wanted))
    loop = await _wait_for_server(lambda: _open_checked(dsn, wanted, loop_connections))
    # These connect on first use, as the server may be away again by now.
    api = await _open(dsn, 0, api_connections, SESSION, API_WAIT_S)
    checks = await _open(dsn, 0, CHECKS_CONNECTIONS, LOOP_SESSION, CHECKS_WAIT_S)
    return Pools(loop, api, checks)


async def open_api_pool(
    dsn: str, owner: str | None, wanted: Sequence[Migration], connections: int
) -> Pool:
    """As `open_pools`, for a process that has requests only."""
    if owner is not None:
        await _wait_for_server(lambda: _migrate(owner, wanted))
    checked = await _wait_for_server(lambda: _open_checked(dsn, wanted, 1))
    await checked.close()
    return await _open(dsn, 0, connections, SESSION, API_WAIT_S)


async def open_loop_pool(dsn: str, connections: int = 5) -> Pool:
    """Open only the loop's pool. Raises NotReady when the role or the database does not exist yet."""
    try:
        return await _open(dsn, 1, connections, LOOP_SESSION, LOOP_WAIT_S)
    except _NOT_MADE_YET as error:
        raise NotReady from error


async def _wait_for_server(attempt: Callable[[], Awaitable[T]]) -> T:
    backoff = Backoff()
    while True:
        try:
            return await attempt()
        except Exception as error:
            if not is_transient(error):
                raise
            log.warning("waiting for PostgreSQL", error=type(error.__cause__ or error).__name__)
            await backoff.wait()


async def _migrate(owner: str, wanted: Sequence[Migration]) -> None:
    """Migrate and make parts on a connection of the owner, and close it."""
    try:
        db = await asyncpg.connect(
            owner, timeout=5, command_timeout=COMMAND_S, server_settings=SESSION
        )
    except _NOT_MADE_YET as error:
        raise NotReady from error
    try:
        await migrations.migrate(db, wanted)
        if made := await parts.make(db, datetime.now(UTC)):
            log.info("made parts", parts=len(made))
    except asyncpg.InsufficientPrivilegeError as error:
        # Names of tables and roles, no rows.
        raise CannotRun(
            f"the role of HERHAAL_DATABASE_OWNER may not do what a migration does: {error}"
        ) from error
    finally:
        await db.close()


async def _open_checked(dsn: str, wanted: Sequence[Migration], connections: int) -> Pool:
    pool = await open_loop_pool(dsn, connections)
    try:
        async with pool.acquire() as db:
            await roles.require_rows_only(db)
            await migrations.require_applied(db, wanted)
            await roles.require_grants(db)
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
