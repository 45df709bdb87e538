"""Who acts is what the token says: a body may leave it out, and one in somebody else's name is refused."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from schemas.access import Party, scope_of
from schemas.base import Actor, Role
from tests.harness.made import an_order, as_json
from tests.integration.access.callers import asking
from tests.integration.access.door import Door
from tests.integration.access.operations import Operation
from tests.integration.access.places import WAIT, Asked, Places

PEOPLE = (Party.PATIENT, Party.PROXY, Party.ASSISTANT, Party.GP, Party.PHARMACIST)
SYSTEMS = (Party.PORTAL, Party.PRACTICE_SYSTEM, Party.PHARMACY_SYSTEM)


def _writes(operations: Sequence[Operation], role: Party) -> list[Operation]:
    """The operations that a role may do, and whose body says who acts."""
    return [o for o in operations if o.names_who_acts and o.action and scope_of(role, o.action)]


@pytest.mark.parametrize("role", PEOPLE)
async def test_a_person_need_not_say_who_acts(
    door: Door, operations: Sequence[Operation], places: Places, role: Party
) -> None:
    caller = replace(asking(door.stack, role, places[Asked.OWN]), names=False)
    for operation in _writes(operations, role):
        answer = await door.ask(operation, places[Asked.OWN], caller)
        assert answer.status == operation.success, (operation.name, answer)


@pytest.mark.parametrize("role", SYSTEMS)
async def test_a_system_must_name_for_whom_it_acts(
    door: Door, operations: Sequence[Operation], places: Places, role: Party
) -> None:
    caller = replace(asking(door.stack, role, places[Asked.OWN]), names=False)
    for operation in _writes(operations, role):
        answer = await door.ask(operation, places[Asked.OWN], caller)
        assert answer.status == 422, operation.name
        assert b"names for whom it acts" in answer.content


@pytest.mark.parametrize("first", ["named", "not named"])
async def test_an_order_is_the_same_whether_it_names_who_places_it_or_not(
    door: Door, places: Places, first: str
) -> None:
    """Given an order; when it is sent again, the other way; then it is a repeat, and no conflict."""
    own = places[Asked.OWN]
    caller = asking(door.stack, Party.ASSISTANT, own)
    order = an_order(own.patient, practice=own.practice, pharmacy=own.pharmacy)
    without = as_json(order)
    del without["placed_by"]
    bodies = [without | {"placed_by": as_json(caller.actor)}, without]
    url = f"{door.stack.endpoints['ordering']}/orders"
    for body in bodies if first == "named" else reversed(bodies):
        answer = await door.http.post(url, json=body, headers={**caller.headers, **WAIT})
        assert answer.status_code == 200, answer.text
        assert answer.json()["placed_by"] == as_json(caller.actor)


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
