"""A rebuild counts as the service does, and sums counts in memory before it writes."""

from collections import Counter

from hypothesis import given

from runtime.messages.message import Message
from runtime.messages.parser import Parser
from schemas.topics import ORDERS_EVENTS
from services.metrics.domain import counting
from services.metrics.handlers import INPUTS, Work
from services.metrics.rebuild import REBUILD, MetricsBuilder
from tests.harness.records import delivered
from tests.unit.metrics.story import Story
from tests.unit.metrics.test_properties import QUICK, History, mixed_histories

_parse = Parser.of(INPUTS).parse


@given(mixed_histories())
@QUICK
def test_a_batch_of_a_rebuild_is_counted_as_the_service_counts_it(history: History) -> None:
    builder, work = MetricsBuilder(), Work()
    for event in history:
        message = _parse(delivered(ORDERS_EVENTS, event))
        assert isinstance(message, Message)
        builder.handle(message, work)
    story = Story().when(*history)
    assert work.orders.current == story.work.orders.current
    assert _without_zeros(work.lines) == story.lines
    assert work.new_orders == story.orders


@given(mixed_histories())
@QUICK
def test_a_difference_is_the_counts_after_minus_the_counts_before(history: History) -> None:
    work = Work()
    for event in history:
        before = work.orders.get(event.order_id)
        after = counting.count(event, before)
        assert isinstance(after, counting.Counted)
        expected = Counter(after.lines)
        expected.subtract(before.lines if before else Counter())
        change = Counter[counting.LineCell]()
        for cell, lines in counting.difference(before, after):
            change[cell] += lines
        assert _without_zeros(change) == _without_zeros(expected)
        work.keep(before, after)


def _without_zeros(change: Counter[counting.LineCell]) -> dict[counting.LineCell, int]:
    return {cell: lines for cell, lines in change.items() if lines}


def test_every_table_of_metrics_is_rebuilt() -> None:
    made = "".join(path.read_text() for path in REBUILD.migrations.glob("*.sql"))
    assert {name for name in REBUILD.tables if f"create table {name} (" in made} == set(
        REBUILD.tables
    )
    assert made.count("create table") == len(REBUILD.tables)
