"""What needs no token names nobody: health, metrics and the descriptions of the services."""

from collections.abc import Sequence

from tests.integration.access.callers import NOBODY
from tests.integration.access.door import Door
from tests.integration.access.operations import Operation
from tests.integration.access.places import Places


async def test_what_anybody_may_read_names_nobody(
    door: Door, operations: Sequence[Operation], places: Places
) -> None:
    """Given patients with orders; then no public answer has their names, nor their practice's or pharmacy's."""
    public = [operation for operation in operations if operation.action is None]
    assert public
    for operation in public:
        for place in places.values():
            answer = await door.ask(operation, place, NOBODY)
            named = (place.patient, place.practice, place.pharmacy, str(place.order_id))
            found = [name for name in named if name.encode() in answer.content]
            assert found == [], operation.name
