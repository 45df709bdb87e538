"""The lines that ordering's database is searched by are what the events make of them."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime
from uuid import UUID

from schemas.records.orders import Outcome
from verify.facts import Facts
from verify.fold import Folded, Line
from verify.rows import OrderLineRow
from verify.rules.decisions import timer_id
from verify.rules.found import Found
from verify.rules.states import state_after


def order_lines_differ(facts: Facts) -> Iterator[Found]:
    """Each line of each order has one row, as its events have it; a line that waits is due with its timer."""
    timers = {row.id: row.due_at for row in facts.dump.ordering.timers}
    rows: dict[UUID, dict[int, OrderLineRow]] = defaultdict(dict)
    for row in facts.dump.ordering.order_lines:
        rows[row.order_id][row.line] = row
    for order in facts.orders.values():
        yield from _of_order(order, rows.get(order.order_id, {}), timers)
    for order_id in rows.keys() - facts.orders.keys() - facts.unjudged:
        yield Found("its lines are searched, and no events tell of it", f"{order_id}")


def _of_order(
    order: Folded, rows: Mapping[int, OrderLineRow], timers: Mapping[UUID, datetime]
) -> Iterator[Found]:
    for number in sorted(order.lines.keys() ^ rows.keys()):
        what = "no row" if number in order.lines else "a row, and no such line"
        yield Found(what, f"{order.order_id} line {number}")
    for number in sorted(order.lines.keys() & rows.keys()):
        if why := _why_other(order, order.lines[number], rows[number], timers):
            yield Found(why, f"{order.order_id} line {number}")


def _why_other(
    order: Folded, line: Line, row: OrderLineRow, timers: Mapping[UUID, datetime]
) -> str | None:
    first = order.first
    whose = (row.patient, row.practice, row.pharmacy, row.prk)
    if whose != (first.patient, first.practice, first.pharmacy, line.prk):
        return "its row is of another patient, practice, pharmacy or medicine"
    if (row.outcome, row.state) != (line.outcome, state_after(order)):
        return "its row's outcome or state is another than its events'"
    if line.outcome is not Outcome.WAITING:
        return None if row.due is None else "it waits for nothing, and its row is due"
    # That there is no timer is another rule's.
    due = timers.get(timer_id(order.order_id), row.due)
    return None if row.due is not None and row.due == due else "its row is due at another time"
