"""When a record is at fault for the failures of its batch, and when a server is."""

import asyncpg
import pytest

from runtime.loop.attempts import ATTEMPTS, UNEXPLAINED, Attempts
from runtime.loop.batch import HandlerFailed, SavingFailed

TRANSIENT = asyncpg.QueryCanceledError()
LASTING = asyncpg.DivisionByZeroError()
LOCKED = asyncpg.LockNotAvailableError()


def fail(attempts: Attempts, error: BaseException, saves: bool, most: int = 100) -> int | None:
    """How many failures with this error use the attempts up; None when so many do not."""
    for number in range(1, most + 1):
        attempts.failed(error)
        if attempts.needs_trial(error):
            attempts.tried(saves)
        if attempts.are_used_up(error):
            return number
    return None


@pytest.mark.parametrize("alone", [True, False])
@pytest.mark.parametrize("error", [TRANSIENT, LASTING, LOCKED])
def test_no_record_is_at_fault_while_the_database_saves_nothing(
    error: Exception, alone: bool
) -> None:
    assert fail(Attempts(alone), error, saves=False) is None


@pytest.mark.parametrize(
    ("alone", "error", "failures"),
    [
        (False, LASTING, ATTEMPTS),
        (True, LASTING, ATTEMPTS),
        (False, TRANSIENT, 2 * ATTEMPTS),
        (True, TRANSIENT, ATTEMPTS + UNEXPLAINED),
        (True, HandlerFailed(("t", 0, 0), "KeyError"), ATTEMPTS),
        (False, SavingFailed("KeyError"), ATTEMPTS),
        (True, LOCKED, None),
    ],
)
def test_while_the_database_saves_so_many_failures_are_enough(
    alone: bool, error: Exception, failures: int | None
) -> None:
    assert fail(Attempts(alone), error, saves=True) == failures


@pytest.mark.parametrize("error", [HandlerFailed(("t", 0, 0), "OSError"), SavingFailed("OSError")])
def test_the_services_own_code_needs_no_trial(error: Exception) -> None:
    """It touches no server, so none can be the cause."""
    assert fail(Attempts(alone=True), error, saves=False) == ATTEMPTS


@pytest.fixture(params=["lock", "lasting", "trial"])
def nearly(request: pytest.FixtureRequest) -> Attempts:
    """A record that was nearly at fault, until something else explained it."""
    attempts = Attempts(alone=True)
    assert fail(attempts, TRANSIENT, saves=True, most=ATTEMPTS + UNEXPLAINED - 1) is None
    match request.param:
        case "lock":
            attempts.failed(LOCKED)
        case "lasting":
            attempts.failed(LASTING)
        case _:
            attempts.tried(saved=False)
    return attempts


def test_an_explanation_begins_the_count_again(nearly: Attempts) -> None:
    assert fail(nearly, TRANSIENT, saves=True, most=UNEXPLAINED - 1) is None
