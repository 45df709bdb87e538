"""Errors of the runtime, and which errors are transient (server unavailable, deadlock, time-out)."""

import asyncpg
from aiokafka.errors import KafkaError


class CannotRun(Exception):
    """An operator must act. The message says how, and never quotes a record."""


class NotReady(Exception):
    """The service has not connected to its database since it started."""


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
"""All errors of Kafka, PostgreSQL and their clients, transient or not. Messages may quote records."""


class Fenced(Exception):
    """A partition has a newer epoch, or its stored offset is not the expected one."""


class Outdated(Exception):
    """Another worker has changed loaded rows: load and decide again."""


_SERVER_FAULTS: tuple[type[BaseException], ...] = (
    # Another session may hold a lock without limit.
    asyncpg.LockNotAvailableError,
    # The server has no disk space, memory or connections left.
    asyncpg.InsufficientResourcesError,
    # The primary has become a standby; the next connection goes to the new primary.
    asyncpg.ReadOnlySQLTransactionError,
    # The role lacks a privilege until an operator grants it.
    asyncpg.InsufficientPrivilegeError,
)

_TRANSIENT: tuple[type[BaseException], ...] = (
    *_SERVER_FAULTS,
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
    """Whether the same operation may succeed later, so that no record is dead-lettered for this failure alone.

    A record can cause some of these errors too: `loop/attempts.py` distinguishes the two.
    """
    if isinstance(error, asyncpg.InterfaceError) and isinstance(error, ValueError):
        # asyncpg rejected an argument, and will reject it again.
        return False
    return isinstance(error, _TRANSIENT)


def is_server_fault(error: BaseException) -> bool:
    """Whether this transient error can never be caused by a record."""
    return isinstance(error, _SERVER_FAULTS)
