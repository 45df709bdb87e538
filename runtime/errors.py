"""Which failures are transient: a server is away, a deadlock, a time-out."""

import asyncpg
from aiokafka.errors import KafkaError


class CannotRun(Exception):
    """Something only a person can mend; the message says what, and quotes no record."""


class NotReady(Exception):
    """The service has not reached its database since it started."""


class KafkaUnavailable(Exception):
    """Kafka did not answer a read in time."""


SERVER_ERRORS: tuple[type[Exception], ...] = (
    OSError,
    KafkaError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresError,
    NotReady,
    KafkaUnavailable,
)
"""All that Kafka, PostgreSQL and their clients raise, transient or not. Messages may quote content."""


class Fenced(Exception):
    """Another worker has taken one of these partitions, or its stored offset is not the expected one."""


class Outdated(Exception):
    """Another worker has changed since what was loaded: load and decide again."""


_ABOUT_THE_SERVER: tuple[type[BaseException], ...] = (
    # Another session holds a lock, for as long as it likes.
    asyncpg.LockNotAvailableError,
    # Its disk or memory is full, or its connections are used up.
    asyncpg.InsufficientResourcesError,
    # A primary that has just become a standby; the next connection finds the new one.
    asyncpg.ReadOnlySQLTransactionError,
)

_TRANSIENT: tuple[type[BaseException], ...] = (
    *_ABOUT_THE_SERVER,
    OSError,
    TimeoutError,
    KafkaError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.InternalClientError,
    asyncpg.TransactionRollbackError,
    asyncpg.OperatorInterventionError,
    asyncpg.PostgresSystemError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    Outdated,
    NotReady,
    KafkaUnavailable,
)


def is_transient(error: BaseException) -> bool:
    """Whether the same may succeed later, so that no record may be dead-lettered for this one failure.

    A record can cause some of these as well: `attempts.py` tells the two apart.
    """
    if isinstance(error, asyncpg.InterfaceError) and isinstance(error, ValueError):
        # asyncpg refused an argument before it was sent: the same argument is refused again.
        return False
    return isinstance(error, _TRANSIENT)


def is_about_the_server(error: BaseException) -> bool:
    """Whether this transient failure cannot be due to a record, however often it happens."""
    return isinstance(error, _ABOUT_THE_SERVER)
