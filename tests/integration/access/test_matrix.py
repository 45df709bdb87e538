"""Every operation of the running services × every role × whose it is: the answer is what the table says.

The operations come from the services' OpenAPI documents, so a new one is asked without being named here.
"""

from collections.abc import Iterable, Mapping, Sequence

import pytest

from schemas.access import Action, Party, Scope, scope_of
from tests.integration.access.callers import NOBODY, asking
from tests.integration.access.cells import Cell, Cells, Said
from tests.integration.access.door import NOTHING, Door
from tests.integration.access.operations import NoSample, Operation
from tests.integration.access.places import Asked, Maker, Places, nowhere, with_proxies

REACHES: Mapping[Scope, frozenset[Asked]] = {
    Scope.PATIENTS: frozenset({Asked.OWN}),
    Scope.PRACTICE: frozenset({Asked.OWN, Asked.OTHER_PATIENT}),
    Scope.PHARMACY: frozenset({Asked.OWN, Asked.OTHER_PATIENT}),
    Scope.REGION: frozenset({Asked.OWN, Asked.OTHER_PATIENT}),
    Scope.SERVES: frozenset({Asked.OWN, Asked.OTHER_PATIENT}),
    Scope.PUBLIC: frozenset(Asked),
    Scope.SYSTEM: frozenset(Asked),
}
"""What a token that names one's own place reaches, by the scope in the table of access."""


async def _cell(
    door: Door,
    operation: Operation,
    role: Party | None,
    asked: Asked,
    places: Places,
    maker: Maker,
) -> Cell:
    """Ask one cell."""
    caller = NOBODY
    if role is not None:
        caller = asking(door.stack, role, places[Asked.OWN], empty=asked is Asked.NONE)
    place = places[asked]
    if operation.action in (Action.REVIEWS_DECIDE, Action.ORDERS_CANCEL):
        # A line is decided once, an order cancelled once: each cell has its own.
        place = await maker.in_review(place)
    got = await door.ask(operation, place, caller)
    said = got.said if operation.action else got.status
    expected = _by_the_table(operation, role, asked)
    if expected is None:
        control = await door.ask(operation, nowhere(), caller)
        expected = control.said if control.said in NOTHING else "as what does not exist"
        said = said if got.is_like(control) else f"{said}, unlike what does not exist"
    named = (operation.service, operation.method, operation.path)
    return Cell(role or "nobody", asked, *named, expected, said)


def _scopes(operation: Operation, role: Party | None) -> Iterable[Asked]:
    """Whose it can be: without a token, or of what is public, it is nobody's."""
    return [Asked.NONE] if role is None or operation.action is None else Asked


def _by_the_table(operation: Operation, role: Party | None, asked: Asked) -> Said | None:
    """The expected status; None for the answer of what does not exist."""
    if operation.action is None:
        return operation.success
    if role is None:
        return 401
    scope = scope_of(role, operation.action)
    if scope is None:
        return 403
    return operation.success if asked in REACHES[scope] else None


@pytest.mark.parametrize("role", [None, *Party], ids=lambda role: role or "nobody")
async def test_every_cell_is_answered_as_the_table_says(
    door: Door,
    operations: Sequence[Operation],
    places: Places,
    maker: Maker,
    cells: Cells,
    role: Party | None,
) -> None:
    wrong = []
    # A proxy that takes back its own grant is nobody afterwards.
    for operation in sorted(operations, key=lambda each: each.method == "DELETE"):
        for asked in _scopes(operation, role):
            cell = cells.add(await _cell(door, operation, role, asked, places, maker))
            wrong += [cell] if cell.got != cell.expected else []
    # Who may revoke proxies has done so.
    await with_proxies(maker, places)
    assert not wrong, "\n".join(map(str, wrong))


def test_every_operation_has_a_sample(operations: Sequence[Operation], places: Places) -> None:
    missing = []
    for operation in operations:
        try:
            operation.path_to(places[Asked.OWN])
            operation.body_for(places[Asked.OWN], NOBODY.actor)
        except NoSample as error:
            missing.append(str(error))
    assert missing == []


def test_an_operation_without_a_sample_fails_by_its_name() -> None:
    widget = Operation("ordering", "PUT", "/widgets/{id}", None, 200, has_body=True)
    with pytest.raises(NoSample, match=r"ordering: PUT /widgets/{id}: no value for widgets/{id}"):
        widget.path_to(nowhere())
    with pytest.raises(NoSample, match=r"ordering: PUT /widgets/{id}: no body"):
        widget.body_for(nowhere(), NOBODY.actor)
