"""A rebuild stores overviews as ordering does, and decides nothing."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from runtime.loop.handler import Done
from runtime.messages.message import Message, append_time
from schemas.topics import MEDICATION_STATUS
from services.ordering.handlers import OrderingHandler
from services.ordering.rebuild import OverviewsBuilder
from services.ordering.work import Work
from tests.harness.records import APPENDED_MS, delivered
from tests.unit.ordering.story import ANNA, overview


def _message(version: int | None) -> Message[Any]:
    """This version of Anna's overview, or its removal."""
    body = overview(version=version or 1)
    return Message(
        "1",
        ANNA,
        body if version else None,
        append_time(APPENDED_MS),
        None,
        delivered(MEDICATION_STATUS, body),
    )


@given(st.lists(st.none() | st.integers(1, 5), max_size=8))
def test_a_rebuild_stores_the_same_overviews_as_ordering(versions: list[int | None]) -> None:
    running, built = Work(), Work()
    handler, builder = OrderingHandler({}, {}), OverviewsBuilder()
    for version in versions:
        message = _message(version)
        handler.handle(message, running)
        assert builder.handle(message, built) == Done()
    assert built.changed_overviews == running.changed_overviews
    assert built.orders.changed == {}
