"""When failures of a batch are blamed on a record, and when on a server."""

import asyncpg
import pytest

from runtime.loop.attempts import MAX_ATTEMPTS, MAX_UNEXPLAINED, Attempts
from runtime.loop.batch import HandlerFailed, SavingFailed

TRANSIENT = asyncpg.QueryCanceledError()
PERMANENT = asyncpg.DivisionByZeroError()
LOCKED = asyncpg.LockNotAvailableError()


def fail(attempts: Attempts, error: BaseException, saves: bool, most: int = 100) -> int | None:
    """Count failures with this error until attempts are exhausted; None if `most` do not exhaust them."""
    for number in range(1, most + 1):
        attempts.record_failure(error)
        if attempts.needs_trial(error):
            attempts.record_trial(saves)
        if attempts.are_exhausted(error):
            return number
    return None


@pytest.mark.parametrize("single_record", [True, False])
@pytest.mark.parametrize("error", [TRANSIENT, PERMANENT, LOCKED])
def test_no_record_is_blamed_while_trial_saves_fail(error: Exception, single_record: bool) -> None:
    assert fail(Attempts(single_record), error, saves=False) is None


@pytest.mark.parametrize(
    ("single_record", "error", "failures"),
    [
        (False, PERMANENT, MAX_ATTEMPTS),
        (True, PERMANENT, MAX_ATTEMPTS),
        (False, TRANSIENT, 2 * MAX_ATTEMPTS),
        (True, TRANSIENT, MAX_ATTEMPTS + MAX_UNEXPLAINED),
        (True, HandlerFailed(("t", 0, 0), "KeyError"), MAX_ATTEMPTS),
        (False, SavingFailed("KeyError"), MAX_ATTEMPTS),
        (True, LOCKED, None),
    ],
)
def test_attempts_are_exhausted_after_these_failures_if_trial_saves_succeed(
    single_record: bool, error: Exception, failures: int | None
) -> None:
    assert fail(Attempts(single_record), error, saves=True) == failures


@pytest.mark.parametrize("error", [HandlerFailed(("t", 0, 0), "OSError"), SavingFailed("OSError")])
def test_errors_of_the_services_code_need_no_trial_save(error: Exception) -> None:
    """It does no I/O, so no server can be the cause."""
    assert fail(Attempts(single_record=True), error, saves=False) == MAX_ATTEMPTS


@pytest.fixture(params=["lock", "permanent", "trial"])
def nearly(request: pytest.FixtureRequest) -> Attempts:
    """Attempts that were nearly exhausted, until the failures had another explanation."""
    attempts = Attempts(single_record=True)
    assert fail(attempts, TRANSIENT, saves=True, most=MAX_ATTEMPTS + MAX_UNEXPLAINED - 1) is None
    match request.param:
        case "lock":
            attempts.record_failure(LOCKED)
        case "permanent":
            attempts.record_failure(PERMANENT)
        case _:
            attempts.record_trial(saved=False)
    return attempts


def test_another_explanation_restarts_the_count(nearly: Attempts) -> None:
    assert fail(nearly, TRANSIENT, saves=True, most=MAX_UNEXPLAINED - 1) is None
