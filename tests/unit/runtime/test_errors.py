"""Which errors are transient, so that no record is dead-lettered for one alone."""

import asyncpg
import pytest
from aiokafka.errors import KafkaConnectionError, NotLeaderForPartitionError, RequestTimedOutError
from asyncpg.exceptions import _base

from runtime.errors import (
    CannotRun,
    Fenced,
    KafkaUnavailable,
    NotReady,
    Outdated,
    is_server_fault,
    is_transient,
)
from runtime.kafka.producer import NotPublished

TRANSIENT = [
    ConnectionRefusedError(),
    ConnectionResetError(),
    TimeoutError(),
    OSError(),
    KafkaConnectionError(),
    NotLeaderForPartitionError(),
    RequestTimedOutError(),
    NotPublished(),
    asyncpg.InterfaceError("connection is closed"),
    asyncpg.ConnectionDoesNotExistError(),
    asyncpg.ConnectionFailureError(),
    asyncpg.CannotConnectNowError(),
    asyncpg.AdminShutdownError(),
    asyncpg.CrashShutdownError(),
    asyncpg.QueryCanceledError(),
    asyncpg.DeadlockDetectedError(),
    asyncpg.SerializationError(),
    asyncpg.TooManyConnectionsError(),
    asyncpg.DiskFullError(),
    asyncpg.OutOfMemoryError(),
    asyncpg.LockNotAvailableError(),
    # The primary has become a standby; the next connection goes to the new primary.
    asyncpg.ReadOnlySQLTransactionError(),
    asyncpg.IdleInTransactionSessionTimeoutError(),
    asyncpg.InsufficientPrivilegeError(),
    # The connection was closed while it was returned to the pool.
    asyncpg.InternalClientError(),
    Outdated(),
    NotReady(),
    KafkaUnavailable(),
]
PERMANENT = [
    # asyncpg rejects an argument that does not fit its column.
    _base.DataError("value out of int32 range"),
    ValueError(),
    KeyError(),
    AssertionError(),
    CannotRun(),
    Fenced(),
    asyncpg.UniqueViolationError(),
    asyncpg.NotNullViolationError(),
    asyncpg.UndefinedTableError(),
    asyncpg.CharacterNotInRepertoireError(),
    asyncpg.NumericValueOutOfRangeError(),
]


@pytest.mark.parametrize("error", TRANSIENT, ids=lambda e: type(e).__name__)
def test_errors_of_an_unavailable_or_busy_server_are_transient(error: Exception) -> None:
    assert is_transient(error)


@pytest.mark.parametrize("error", PERMANENT, ids=lambda e: type(e).__name__)
def test_errors_that_a_retry_would_repeat_are_not_transient(error: Exception) -> None:
    assert not is_transient(error)


@pytest.mark.parametrize(
    ("error", "server_fault"),
    [
        (asyncpg.LockNotAvailableError(), True),
        (asyncpg.DiskFullError(), True),
        (asyncpg.OutOfMemoryError(), True),
        (asyncpg.ReadOnlySQLTransactionError(), True),
        (asyncpg.InsufficientPrivilegeError(), True),
        (asyncpg.QueryCanceledError(), False),
        (asyncpg.ConnectionDoesNotExistError(), False),
        (OSError(), False),
        (Outdated(), False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_some_transient_errors_can_never_be_caused_by_a_record(
    error: Exception, server_fault: bool
) -> None:
    assert is_transient(error)
    assert is_server_fault(error) is server_fault
