"""Which failures pass by themselves, so that nothing may be buried for them."""

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
    is_about_the_server,
    is_transient,
)
from runtime.kafka.producer import NotPublished

PASSES = [
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
    # A primary that has just become a standby: the next connection finds the new one.
    asyncpg.ReadOnlySQLTransactionError(),
    asyncpg.IdleInTransactionSessionTimeoutError(),
    # A connection that was cut just when it was given back.
    asyncpg.InternalClientError(),
    Outdated(),
    NotReady(),
    KafkaUnavailable(),
]
STAYS = [
    # asyncpg refuses an argument that does not fit its column.
    _base.DataError("value out of int32 range"),
    ValueError(),
    KeyError(),
    AssertionError(),
    CannotRun(),
    Fenced(),
    asyncpg.UniqueViolationError(),
    asyncpg.NotNullViolationError(),
    asyncpg.UndefinedTableError(),
    asyncpg.InsufficientPrivilegeError(),
    asyncpg.CharacterNotInRepertoireError(),
    asyncpg.NumericValueOutOfRangeError(),
]


@pytest.mark.parametrize("error", PASSES, ids=lambda e: type(e).__name__)
def test_a_server_that_is_away_or_busy_passes(error: Exception) -> None:
    assert is_transient(error)


@pytest.mark.parametrize("error", STAYS, ids=lambda e: type(e).__name__)
def test_what_the_same_attempt_meets_again_does_not_pass(error: Exception) -> None:
    assert not is_transient(error)


@pytest.mark.parametrize(
    ("error", "about_the_server"),
    [
        (asyncpg.LockNotAvailableError(), True),
        (asyncpg.DiskFullError(), True),
        (asyncpg.OutOfMemoryError(), True),
        (asyncpg.ReadOnlySQLTransactionError(), True),
        (asyncpg.QueryCanceledError(), False),
        (asyncpg.ConnectionDoesNotExistError(), False),
        (OSError(), False),
        (Outdated(), False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_some_transient_failures_can_never_be_due_to_a_record(
    error: Exception, about_the_server: bool
) -> None:
    assert is_transient(error)
    assert is_about_the_server(error) is about_the_server
