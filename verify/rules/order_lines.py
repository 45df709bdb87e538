"""ordering's `order_lines`, the table for searches, follows from the events."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime
from uuid import UUID

from schemas.records.orders import Outcome
from verify.evidence import Evidence
from verify.expected_orders import ExpectedOrder, Line
from verify.rows import OrderLineRow
from verify.rules.decisions import timer_id
from verify.rules.finding import Finding
from verify.rules.states import state_after


def order_lines_differ(evidence: Evidence) -> Iterator[Finding]:
    """Every order line has one row that follows from its events; a waiting line is due when its timer is."""
    timers = {row.id: row.due_at for row in evidence.dump.ordering.timers}
    rows: dict[UUID, dict[int, OrderLineRow]] = defaultdict(dict)
    for row in evidence.dump.ordering.order_lines:
        rows[row.order_id][row.line] = row
    for order in evidence.orders.values():
        yield from _lines_differ(order, rows.get(order.order_id, {}), timers)
    for order_id in rows.keys() - evidence.orders.keys() - evidence.unverifiable:
        yield Finding("it has order_lines rows and no events", f"{order_id}")


def _lines_differ(
    order: ExpectedOrder, rows: Mapping[int, OrderLineRow], timers: Mapping[UUID, datetime]
) -> Iterator[Finding]:
    for number in sorted(order.lines.keys() ^ rows.keys()):
        what = "a line without a row" if number in order.lines else "a row without a line"
        yield Finding(what, f"{order.order_id} line {number}")
    for number in sorted(order.lines.keys() & rows.keys()):
        if why := _line_difference(order, order.lines[number], rows[number], timers):
            yield Finding(why, f"{order.order_id} line {number}")


def _line_difference(
    order: ExpectedOrder, line: Line, row: OrderLineRow, timers: Mapping[UUID, datetime]
) -> str | None:
    first = order.first
    whose = (row.patient, row.practice, row.pharmacy, row.prk)
    if whose != (first.patient, first.practice, first.pharmacy, line.prk):
        return "its row has another patient, practice, pharmacy or medicine"
    if row.placed_at != first.placed_at:
        return "its row was placed at another time"
    if (row.outcome, row.state) != (line.outcome, state_after(order)):
        return "its row's outcome or state does not follow from its events"
    if (row.signal, row.reviewer) != (line.signal, line.reviewer):
        return "its row's signal or reviewer does not follow from its events"
    if line.outcome is not Outcome.WAITING:
        return None if row.due is None else "its row has a due time although the line does not wait"
    # waiting_without_timer reports a missing timer.
    due = timers.get(timer_id(order.order_id), row.due)
    return (
        None
        if row.due is not None and row.due == due
        else "its row is due at another time than its timer"
    )
