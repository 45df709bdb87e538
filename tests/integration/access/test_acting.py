"""Who acts is what the token says: a body in somebody else's name is refused."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from schemas.access import Party, scope_of
from schemas.base import Actor, Role
from tests.integration.access.callers import asking
from tests.integration.access.door import Door
from tests.integration.access.operations import Operation
from tests.integration.access.places import Asked, Places

PEOPLE = (Party.PATIENT, Party.PROXY, Party.ASSISTANT, Party.GP, Party.PHARMACIST)
SYSTEMS = (Party.PORTAL, Party.PRACTICE_SYSTEM, Party.PHARMACY_SYSTEM)


def _writes(operations: Sequence[Operation], role: Party) -> list[Operation]:
    """The operations with a body that a role may do."""
    return [o for o in operations if o.has_body and o.action and scope_of(role, o.action)]


@pytest.mark.parametrize("role", PEOPLE)
async def test_a_person_acts_in_no_other_name(
    door: Door, operations: Sequence[Operation], places: Places, role: Party
) -> None:
    """Neither as somebody else in the same role, nor under the same id in another role."""
    caller, own = asking(door.stack, role, places[Asked.OWN]), places[Asked.OWN]
    other = Role.ASSISTANT if caller.actor.role is not Role.ASSISTANT else Role.PATIENT
    forged = (
        Actor(role=caller.actor.role, id="somebody-else"),
        Actor(role=other, id=caller.actor.id),
    )
    writes = _writes(operations, role)
    assert writes
    for operation in writes:
        for actor in forged:
            answer = await door.ask(operation, own, replace(caller, actor=actor))
            assert answer.status == 403, (operation.name, actor)
            assert b'"urn:herhaal:problem:another-actor"' in answer.content


@pytest.mark.parametrize("role", SYSTEMS)
async def test_a_system_acts_for_whom_it_names(
    door: Door, operations: Sequence[Operation], places: Places, role: Party
) -> None:
    caller, own = asking(door.stack, role, places[Asked.OWN]), places[Asked.OWN]
    writes = _writes(operations, role)
    assert writes
    for operation in writes:
        for actor in (
            Actor(role=Role.PATIENT, id=own.patient),
            Actor(role=Role.ASSISTANT, id="x"),
        ):
            answer = await door.ask(operation, own, replace(caller, actor=actor))
            assert answer.status == operation.success, (operation.name, actor)


@pytest.mark.parametrize("role", PEOPLE)
async def test_whose_it_is_comes_before_who_acts(
    door: Door, operations: Sequence[Operation], places: Places, role: Party
) -> None:
    """A body in another's name tells nothing about what is somebody else's."""
    caller = asking(door.stack, role, places[Asked.OWN])
    forged = replace(caller, actor=Actor(role=caller.actor.role, id="somebody-else"))
    for operation in _writes(operations, role):
        answer = await door.ask(operation, places[Asked.OTHER_PRACTICE], forged)
        assert answer.status == 404, operation.name
