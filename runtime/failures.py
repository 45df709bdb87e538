"""Which failures pass by themselves: Kafka or PostgreSQL away, a deadlock, a time-out."""

import asyncpg
from aiokafka.errors import KafkaError


class CannotRun(Exception):
    """Something only a person can mend; the message says what, and quotes no record."""


class NotReady(Exception):
    """The service has not reached its database since it started."""


class KafkaUnavailable(Exception):
    """Kafka did not answer a read in time."""


class Outdated(Exception):
    """What was loaded has changed since, by another worker: load and decide again."""


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

_TRANSIENT: tuple[type[BaseException], ...] = (
    OSError,
    TimeoutError,
    KafkaError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.InternalClientError,
    asyncpg.TransactionRollbackError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.PostgresSystemError,
    asyncpg.LockNotAvailableError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    # A primary that has just become a standby; the next connection finds the new one.
    asyncpg.ReadOnlySQLTransactionError,
    Outdated,
    NotReady,
    KafkaUnavailable,
)


def is_transient(error: BaseException) -> bool:
    """Whether trying the same again later may succeed, so nothing may be dead-lettered for it."""
    return isinstance(error, _TRANSIENT)
