"""All SQL of metrics."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from runtime.messages.encoding import decoder, encode_parts
from runtime.postgres.connection import Connection
from runtime.postgres.identity_map import IdentityMap
from runtime.postgres.statements import Writes
from schemas.api.metrics import By, CountedChannel
from schemas.records.orders import Outcome
from services.metrics.domain.counting import Counted, LineCell, OrderCell

_OUTCOMES = decoder(dict[int, Outcome])

_COUNTED = """
select order_id, seq, practice, day, channel, outcomes::text as outcomes
from counted_orders where order_id = any($1::uuid[])
"""
_COUNTED_COLUMNS = ("order_id", "seq", "practice", "day", "channel", "outcomes")
_ADD_COUNTED = """
insert into counted_orders (order_id, seq, practice, day, channel, outcomes)
select order_id, seq, practice, day, channel, outcomes::jsonb from unnest(
    $1::uuid[], $2::int[], $3::text[], $4::date[], $5::text[], $6::text[]
) as n(order_id, seq, practice, day, channel, outcomes)
"""
# The rows exist; `on conflict` guarantees an index lookup, which a join does not.
_CHANGE_COUNTED = f"""{_ADD_COUNTED}
on conflict (order_id) do update set seq = excluded.seq, outcomes = excluded.outcomes
"""

# Workers of different partitions add to the same rows: sorted, so that all lock them in the same order.
_ADD_LINES = """
insert into daily_lines as d (practice, day, channel, outcome, lines)
select * from unnest($1::text[], $2::date[], $3::text[], $4::text[], $5::bigint[])
order by 1, 2, 3, 4
on conflict (practice, day, channel, outcome) do update set lines = d.lines + excluded.lines
"""
_ADD_ORDERS = """
insert into daily_orders as d (practice, day, channel, orders)
select * from unnest($1::text[], $2::date[], $3::text[], $4::bigint[])
order by 1, 2, 3
on conflict (practice, day, channel) do update set orders = d.orders + excluded.orders
"""

# One statement, so that orders and lines come from the same snapshot.
_TOTALS = """
select practice, date_trunc($4, day::timestamp)::date as start, channel, outcome,
    sum(lines)::bigint as count
from daily_lines where practice = any($1::text[]) and day between $2 and $3
group by 1, 2, 3, 4
union all
select practice, date_trunc($4, day::timestamp)::date, channel, null, sum(orders)::bigint
from daily_orders where practice = any($1::text[]) and day between $2 and $3
group by 1, 2, 3
"""

# Compares a rebuilt table with the running one. A count of 0 equals a missing row.
_COMPARE_COUNTED = """
select count(built.order_id) as rows,
    count(*) filter (where running.order_id is null) as added,
    count(*) filter (where built.order_id is null) as gone,
    count(*) filter (where
        (running.seq, running.practice, running.day, running.channel, running.outcomes)
        <> (built.seq, built.practice, built.day, built.channel, built.outcomes)) as changed
from public.counted_orders running full join counted_orders built using (order_id)
"""
_COMPARE_LINES = """
select count(built.lines) as rows,
    count(*) filter (where running.lines is null) as added,
    count(*) filter (where built.lines is null) as gone,
    count(*) filter (where running.lines <> built.lines) as changed
from (select * from public.daily_lines where lines <> 0) running
full join (select * from daily_lines where lines <> 0) built
using (practice, day, channel, outcome)
"""
_COMPARE_ORDERS = """
select count(built.orders) as rows,
    count(*) filter (where running.orders is null) as added,
    count(*) filter (where built.orders is null) as gone,
    count(*) filter (where running.orders <> built.orders) as changed
from (select * from public.daily_orders where orders <> 0) running
full join (select * from daily_orders where orders <> 0) built
using (practice, day, channel)
"""

COMPARED = {
    "counted_orders": _COMPARE_COUNTED,
    "daily_lines": _COMPARE_LINES,
    "daily_orders": _COMPARE_ORDERS,
}
"""Every table of metrics, with the query that compares the rebuilt table with the running one."""


@dataclass(frozen=True, slots=True)
class Total:
    """The count of a period that begins at `start`: of lines, or of orders if `outcome` is None."""

    start: date
    channel: CountedChannel
    outcome: Outcome | None
    count: int


async def counted(db: Connection, ids: Collection[UUID]) -> dict[UUID, Counted]:
    """How these orders are counted; an order that is not counted is absent."""
    rows = await db.fetch(_COUNTED, ids)
    return {
        row["order_id"]: Counted(
            row["order_id"],
            row["seq"],
            OrderCell(row["practice"], row["day"], CountedChannel(row["channel"])),
            _OUTCOMES.decode(row["outcomes"]),
        )
        for row in rows
    }


def save_counted(writes: Writes, orders: IdentityMap[UUID, Counted]) -> None:
    """Write how the changed orders are counted; practice, day and channel of an order never change.

    The batch is outdated when another batch has stored one of its new orders.
    """
    rows = [
        (id, order.seq, *order.cell, encode_parts(order.outcomes).decode())
        for id, order in orders.changed.items()
    ]
    writes.insert_or_update(
        "counted_orders", _COUNTED_COLUMNS, _ADD_COUNTED, _CHANGE_COUNTED, rows, orders.new
    )


def add_lines(writes: Writes, changes: Mapping[LineCell, int]) -> None:
    """Add to the daily counts of lines; a negative change subtracts."""
    cells = zip(*changes, strict=True)
    writes.execute("daily_lines", _ADD_LINES, *cells, list(changes.values()))


def add_orders(writes: Writes, changes: Mapping[OrderCell, int]) -> None:
    """Add to the daily counts of orders."""
    cells = zip(*changes, strict=True)
    writes.execute("daily_orders", _ADD_ORDERS, *cells, list(changes.values()))


async def totals(
    db: Connection, practices: Collection[str], first: date, last: date, by: By
) -> dict[str, list[Total]]:
    """The counts of each of these practices per period, from `first` to `last`, both days included."""
    found: dict[str, list[Total]] = {practice: [] for practice in practices}
    for row in await db.fetch(_TOTALS, practices, first, last, by):
        total = Total(
            row["start"],
            CountedChannel(row["channel"]),
            Outcome(row["outcome"]) if row["outcome"] else None,
            row["count"],
        )
        found[row["practice"]].append(total)
    return found
