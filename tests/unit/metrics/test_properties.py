"""Properties of the counts for any history of orders, with any repeats of events."""

from collections import Counter
from typing import TypeAlias

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.records.orders import OrderDecided, OrderEvent, Outcome
from services.metrics.domain.counting import Counted, LineCell
from tests.unit.metrics.story import (
    Story,
    cancelled,
    decided,
    escalated,
    fulfilment,
    line_decided,
    order_id,
)

QUICK = settings(max_examples=25, deadline=None)

History: TypeAlias = list[OrderEvent]


@st.composite
def order_histories(draw: st.DrawFn, number: int) -> History:
    """All events of one valid order, in order."""
    outcomes = draw(st.lists(st.sampled_from(Outcome), min_size=1, max_size=4))
    history: History = [decided(*outcomes, order=number)]
    for seq in range(2, 2 + draw(st.integers(0, 4))):
        line = draw(st.integers(1, len(outcomes)))
        later: History = [
            line_decided(line, draw(st.sampled_from(Outcome)), seq=seq, order=number),
            cancelled(line, seq=seq, order=number),
            escalated(seq=seq, order=number),
            fulfilment(seq=seq, order=number),
        ]
        history.append(draw(st.sampled_from(later)))
    return history


@st.composite
def mixed_histories(draw: st.DrawFn) -> History:
    """The events of up to three orders, each order's in order."""
    waiting = [draw(order_histories(number)) for number in range(1, 1 + draw(st.integers(1, 3)))]
    mixed: History = []
    while waiting:
        chosen = draw(st.sampled_from(waiting))
        mixed.append(chosen.pop(0))
        waiting = [history for history in waiting if history]
    return mixed


@st.composite
def with_repeats(draw: st.DrawFn) -> tuple[History, History]:
    """A history, and the same with any of its earlier events delivered again anywhere."""
    history = draw(mixed_histories())
    repeated: History = []
    for event in history:
        repeated.append(event)
        repeated += draw(st.lists(st.sampled_from(repeated), max_size=2))
    return history, repeated


@given(with_repeats())
@QUICK
def test_repeats_anywhere_change_no_count(histories: tuple[History, History]) -> None:
    once, often = (Story().when(*history) for history in histories)

    assert often.refused == once.refused == []
    assert often.lines == once.lines
    assert often.orders == once.orders


@given(mixed_histories())
@QUICK
def test_the_counts_add_up_to_the_numbers_of_lines_and_orders(history: History) -> None:
    story = Story()
    for number, event in enumerate(history, start=1):
        story.when(event)
        new = [e for e in history[:number] if isinstance(e, OrderDecided)]
        assert sum(story.lines.values()) == sum(len(order.lines) for order in new)
        assert sum(story.orders.values()) == len(new)
        assert min(story.lines.values()) > 0


@given(mixed_histories())
@QUICK
def test_the_counts_equal_those_of_the_current_orders(history: History) -> None:
    """Adding differences in each batch gives the same counts as counting all orders at once."""
    story = Story().when(*history)

    fresh: Counter[LineCell] = Counter()
    for order in story.work.orders.current.values():
        fresh.update(order.lines)
    assert story.lines == fresh


@given(order_histories(1), st.data())
@QUICK
def test_a_missing_event_never_loses_or_doubles_a_line(
    history: History, data: st.DataObject
) -> None:
    missing = data.draw(st.integers(0, len(history) - 1))
    story = Story().when(*history[:missing], *history[missing + 1 :])
    counted: Counted | None = story.work.orders.get(order_id(1))
    assert sum(story.lines.values()) == (len(counted.outcomes) if counted else 0)

    story.when(*history[missing:])

    assert story.lines == Story().when(*history).lines
