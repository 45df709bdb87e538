"""Which failures pass by themselves, so that nothing may be buried for them."""

import asyncpg
import pytest
from aiokafka.errors import KafkaConnectionError, NotLeaderForPartitionError, RequestTimedOutError

from runtime.failures import CannotRun, Fenced, Outdated, is_transient
from runtime.publisher import NotPublished

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
]
STAYS = [
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
