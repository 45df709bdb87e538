"""The pool of connections to a service's own database, with a bound on everything that can take long."""

from collections.abc import Sequence
from typing import Any

import asyncpg
import structlog

from runtime import migrations
from runtime.backoff import Backoff
from runtime.failures import is_transient
from runtime.migrations import Migration

log = structlog.get_logger()

COMMAND_S = 20
"""How long a statement may take, by our clock; the server gives it up a little earlier by its own."""

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
    # Every statement of a service finds its rows by key. A plan made while a table had few rows is kept until
    # the server analyses the table again, and would read all of it for each batch meanwhile. A join may
    # still do so by an index, so there are none: `any`, `on conflict` and lateral parts with a limit instead.
    "enable_seqscan": "off",
    # So a plan for these arguments is none other than the plan for any, and making it took longer than carrying
    # it out: 0.16 ms of 0.22 for the orders that one request brings.
    "plan_cache_mode": "force_generic_plan",
}
"""What each of our database sessions asks of the server, in PostgreSQL's words."""

_NOT_MADE_YET = (
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InsufficientPrivilegeError,
)
"""The server is there, but the service's role or database is not made yet."""


async def open_pool(dsn: str, wanted: Sequence[Migration]) -> "asyncpg.Pool[Any]":
    """Connect and migrate, however long the server, the role or the database is not there yet.

    Raises:
        MigrationChanged: the database is not what the code expects.
    """
    backoff = Backoff()
    while True:
        try:
            pool = await asyncpg.create_pool(
                dsn,
                min_size=1,
                max_size=10,
                timeout=5,
                command_timeout=COMMAND_S,
                server_settings=SESSION,
                reset=_leave_as_it_is,
            )
            async with pool.acquire() as db:
                await migrations.migrate(db, wanted)
            return pool
        except Exception as error:
            if not is_transient(error) and not isinstance(error, _NOT_MADE_YET):
                raise
            log.warning("waiting for PostgreSQL", error=type(error).__name__)
            await backoff.wait()


async def _leave_as_it_is(_: Any) -> None:
    """Besides ending a transaction, which asyncpg sees to, a connection needs nothing before its next use.

    No setting, lock or cursor of ours outlives its transaction, and to reset them is a round trip each time.
    """
