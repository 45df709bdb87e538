"""When a call is sent again, and after how long."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_result,
    stop_after_attempt,
    stop_before_delay,
    wait_random_exponential,
)

from herhaal_client.calls import Answer, Call
from herhaal_client.errors import ApiError, TooManyRequests, Unavailable

Outcome = Answer | ApiError

SHORT_S = 1.0
"""The longest `Retry-After` of a 429 for which a call is sent again without telling the caller."""

_back_off = wait_random_exponential(multiplier=0.1, max=1)


@dataclass(frozen=True)
class Retries:
    """How often a call is tried, and within how many seconds after the first try a further one may begin."""

    tries: int = 3
    budget_s: float = 5.0
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def run(self, call: Call, attempt: Callable[[Call], Awaitable[Outcome]]) -> Outcome:
        """Try a call until it succeeds or another try cannot help; give the last outcome."""
        retrying = AsyncRetrying(
            stop=stop_after_attempt(self.tries) | stop_before_delay(self.budget_s),
            wait=_wait_s,
            retry=retry_if_result(lambda outcome: _may_help(call, outcome)),
            retry_error_callback=_outcome,
            sleep=self.sleep,
        )
        return await retrying(attempt, call)


def _may_help(call: Call, outcome: Outcome) -> bool:
    """Tell whether a call may be sent again and may then succeed. One that took too long would again."""
    match outcome:
        case Unavailable(code="no-connection"):
            return True
        case Unavailable(code="too-slow"):
            return False
        case Unavailable():
            return call.repeatable
        case TooManyRequests(retry_after_s=float(later_s)):
            return later_s <= SHORT_S
        case _:
            return False


def _wait_s(state: RetryCallState) -> float:
    """Wait as long as the service says, and a random time, so that not all clients come back at once."""
    outcome = _outcome(state)
    later_s = outcome.retry_after_s if isinstance(outcome, ApiError) else None
    return (later_s or 0.0) + _back_off(state)


def _outcome(state: RetryCallState) -> Outcome:
    assert state.outcome is not None
    outcome: Outcome = state.outcome.result()
    return outcome
