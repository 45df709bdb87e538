"""Nobody finds out by asking whether somebody else's patient or order exists."""

import time
from collections.abc import Sequence
from statistics import median

import pytest

from schemas.access import Party, Scope, scope_of
from tests.integration.access.callers import Asking, asking
from tests.integration.access.door import NOTHING, Answer, Door
from tests.integration.access.operations import Operation
from tests.integration.access.places import Asked, Place, Places, nowhere

_OF_NOBODY = (None, Scope.PUBLIC, Scope.SYSTEM)
"""Without an action, and of what is nobody's."""

PAIRS = 20
ATTEMPTS = 6
TELLABLE_S = 0.002
"""A wait, a lock or a visit to Kafka takes longer. On a busy machine the medians of equal requests mostly
differ by less, so a difference counts only when every attempt has it, in the same direction.
"""


@pytest.mark.parametrize("role", [Party.PATIENT, Party.GP, Party.PHARMACIST, Party.PRACTICE_SYSTEM])
async def test_what_is_somebody_elses_answers_as_what_never_was_and_as_soon(
    door: Door, operations: Sequence[Operation], places: Places, role: Party
) -> None:
    caller = asking(door.stack, role, places[Asked.OWN])
    others = places[Asked.OTHER_PRACTICE]
    for operation in operations:
        if operation.action is None or scope_of(role, operation.action) in _OF_NOBODY:
            continue
        differences: list[float] = []
        while not differences or _tells(differences):
            assert len(differences) < ATTEMPTS, (operation.name, differences)
            differences.append(await _difference_s(door, operation, others, caller))


def _tells(differences: Sequence[float]) -> bool:
    """Whether all of these say that the one takes longer, or all that the other does."""
    return min(differences) >= TELLABLE_S or max(differences) <= -TELLABLE_S


async def _difference_s(door: Door, operation: Operation, others: Place, caller: Asking) -> float:
    """Seconds, at the median, that the answer about somebody else's takes longer than about what never was."""
    longer = []
    for number in range(PAIRS):
        never = nowhere()
        # Alternately the one and the other first: the second of two requests is often the faster.
        if number % 2:
            about, about_s = await _timed(door, operation, others, caller)
            of_nothing, of_nothing_s = await _timed(door, operation, never, caller)
        else:
            of_nothing, of_nothing_s = await _timed(door, operation, never, caller)
            about, about_s = await _timed(door, operation, others, caller)
        assert about.said in NOTHING
        assert about.is_like(of_nothing), (operation.name, about, of_nothing)
        longer.append(about_s - of_nothing_s)
    return median(longer)


async def _timed(
    door: Door, operation: Operation, place: Place, caller: Asking
) -> tuple[Answer, float]:
    started = time.perf_counter()
    answer = await door.ask(operation, place, caller)
    return answer, time.perf_counter() - started
