"""All SQL of ordering."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

import msgspec

from runtime.http.caller import Share
from runtime.messages.encoding import decoder, encode, encode_parts
from runtime.postgres.connection import Connection
from runtime.postgres.identity_map import IdentityMap
from runtime.postgres.statements import Writes
from schemas import topics
from schemas.api.state import Waits
from schemas.records.orders import OrderEvent, Outcome
from services.ordering.domain.history import Earlier, History
from services.ordering.domain.journal import Note
from services.ordering.domain.order import Order
from services.ordering.domain.overview import Entry, Overview

_ORDER = decoder(Order)
_EVENTS: Mapping[str, type[Any]] = topics.ORDERS_EVENTS.types
_read_entries = msgspec.json.Decoder(tuple[Entry, ...]).decode
_read_history = msgspec.json.Decoder(tuple[Earlier, ...]).decode

# By `orders_by_id`: the rows of an order's month are found without opening those of other months.
_ORDERS_BY_ID = "select body from orders_by_id($1::uuid[])"
# One query for all four: each round trip adds to the time to a decision.
_LOAD = """
select null::text as patient, null::text as practice, null::int as version, null::text as type, body
from orders_by_id($1::uuid[])
union all
select patient, practice, version, null, medications from overviews where patient = any($2::text[])
union all
select patient, null, null, null, lines from histories where patient = any($2::text[])
union all
select null, null, null, type, body from recovered_events where order_id = any($1::uuid[])
"""
_SAVE_RECOVERED = """
insert into recovered_events (order_id, seq, type, body)
select * from unnest($1::uuid[], $2::int[], $3::text[], $4::json[])
on conflict (order_id, seq) do nothing
"""
_DROP_RECOVERED = "delete from recovered_events where order_id = any($1::uuid[])"
# By partial indexes, and by a table whose rows go at once.
_COUNT_WAITING = """
select (select count(*) from intake) as intake,
    (select count(*) from orders where state = 'waiting') as without_overview,
    (select count(*) from order_lines where outcome = 'review') as in_review
"""
_ORDERS_OF_PATIENT = """
select body from orders
where patient = $1 and ($3 or practice = any($4::text[]) or body ->> 'pharmacy' = any($5::text[]))
order by placed_at desc, order_id limit $2
"""
_ID_COLUMNS = ("order_id", "placed_at")
_ADD_IDS = "insert into order_ids select * from unnest($1::uuid[], $2::timestamptz[])"
_ORDER_COLUMNS = (
    *("order_id", "patient", "practice", "state", "placed_at", "digest", "body", "journal"),
)
_ADD_ORDERS = """
insert into orders (order_id, patient, practice, state, placed_at, digest, body, journal)
select * from unnest(
    $1::uuid[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::text[], $7::json[],
    $8::text[]
)
"""
# The rows exist; `on conflict` guarantees an index lookup, which a join does not.
_CHANGE_ORDERS = f"""{_ADD_ORDERS}
on conflict (order_id, placed_at) do update set state = excluded.state, body = excluded.body,
    journal = orders.journal || excluded.journal
"""
_LINE_COLUMNS = (
    *("order_id", "line", "practice", "pharmacy", "patient", "prk", "outcome", "state", "due"),
    *("placed_at", "signal", "reviewer"),
)
_ADD_LINES = """
insert into order_lines (
    order_id, line, practice, pharmacy, patient, prk, outcome, state, due, placed_at, signal,
    reviewer
)
select * from unnest(
    $1::uuid[], $2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::timestamptz[], $10::timestamptz[], $11::text[], $12::text[]
)
"""
# A line whose outcome does not change keeps its due time.
_CHANGE_LINES = f"""{_ADD_LINES}
on conflict (order_id, line, placed_at) do update set outcome = excluded.outcome,
    state = excluded.state, signal = excluded.signal, reviewer = excluded.reviewer,
    due = case when order_lines.outcome = excluded.outcome
        then coalesce(excluded.due, order_lines.due) else excluded.due end
"""

_OVERVIEWS = """
select patient, practice, version, medications from overviews where patient = any($1::text[])
"""
_SAVE_OVERVIEWS = """
insert into overviews (patient, practice, version, medications)
select * from unnest($1::text[], $2::text[], $3::int[], $4::json[])
on conflict (patient) do update set practice = excluded.practice, version = excluded.version,
    medications = excluded.medications
"""
_HISTORIES = "select patient, lines from histories where patient = any($1::text[])"
_SAVE_HISTORIES = """
insert into histories (patient, lines) select * from unnest($1::text[], $2::json[])
on conflict (patient) do update set lines = excluded.lines
"""
_DROP_OVERVIEWS = "delete from overviews where patient = any($1::text[])"

# Compares a rebuilt table with the running one.
_COMPARE_OVERVIEWS = """
select count(built.patient) as rows,
    count(*) filter (where running.patient is null) as added,
    count(*) filter (where built.patient is null) as gone,
    count(*) filter (
        where (running.practice, running.version, running.medications::jsonb)
            <> (built.practice, built.version, built.medications::jsonb)
    ) as changed
from public.overviews running full join overviews built using (patient)
"""

COMPARED = {"overviews": _COMPARE_OVERVIEWS}
"""ordering's projections, each with the query that compares the rebuilt table with the running one."""


async def orders(db: Connection, ids: Collection[UUID]) -> dict[UUID, Order]:
    """The decided orders with these ids."""
    rows = await db.fetch(_ORDERS_BY_ID, ids)
    return {order.order_id: order for row in rows if (order := _ORDER.decode(row["body"]))}


async def orders_of_patient(db: Connection, patient: str, share: Share, limit: int) -> list[Order]:
    """A patient's orders, newest first."""
    rows = await db.fetch(
        _ORDERS_OF_PATIENT, patient, limit, share.everything, share.practices, share.pharmacies
    )
    return [_ORDER.decode(row["body"]) for row in rows]


@dataclass(slots=True)
class Loaded:
    """What a batch needs: orders by id, overviews and histories by patient, and recovered events by order.

    Recovered events are sorted by `seq`; their orders are not in the database yet.
    """

    orders: dict[UUID, Order] = field(default_factory=dict)
    overviews: dict[str, Overview] = field(default_factory=dict)
    histories: dict[str, History] = field(default_factory=dict)
    recovered: dict[UUID, list[OrderEvent]] = field(default_factory=dict)


async def load(db: Connection, ids: Collection[UUID], patients: Collection[str]) -> Loaded:
    """Load the decided orders with these ids, and what is kept of these patients."""
    loaded = Loaded()
    for patient, practice, version, ce_type, body in await db.fetch(_LOAD, ids, patients):
        if practice is not None:
            loaded.overviews[patient] = Overview(practice, version, _read_entries(body))
        elif patient is not None:
            loaded.histories[patient] = _read_history(body)
        elif ce_type is not None:
            event = _EVENTS[ce_type].model_validate_json(body)
            loaded.recovered.setdefault(event.order_id, []).append(event)
        else:
            order = _ORDER.decode(body)
            loaded.orders[order.order_id] = order
    for events in loaded.recovered.values():
        events.sort(key=attrgetter("seq"))
    return loaded


async def histories(db: Connection, patients: Collection[str]) -> dict[str, History]:
    """What these patients ordered before."""
    rows = await db.fetch(_HISTORIES, patients)
    return {patient: _read_history(lines) for patient, lines in rows}


def save_histories(writes: Writes, changed: Mapping[str, History]) -> None:
    """Write what these patients ordered before."""
    rows = [_json(history) for history in changed.values()]
    writes.execute("histories", _SAVE_HISTORIES, [*changed], rows)


def save_orders(
    writes: Writes,
    orders: IdentityMap[UUID, Order],
    due: Mapping[UUID, datetime],
    notes: Mapping[UUID, Sequence[Note]],
) -> None:
    """Write the changed orders with their lines; `due` is when (UTC) an order that began to wait stops waiting.

    `notes` are appended to the orders' journals. The batch is outdated when another batch has stored an order
    under the id of a new one.
    """
    changed, new = orders.changed, orders.new
    rows = [
        (id, o.patient, o.practice, o.state, o.placed_at, o.digest, _json(o), _lines(notes[id]))
        for id, o in changed.items()
    ]
    ids = [(id, o.placed_at) for id, o in changed.items() if id in new]
    if ids:
        writes.require_new("order_ids")
        writes.insert("order_ids", _ID_COLUMNS, _ADD_IDS, ids)
    writes.insert_or_update("orders", _ORDER_COLUMNS, _ADD_ORDERS, _CHANGE_ORDERS, rows, new)
    lines = [row for id, o in changed.items() for row in line_rows(o, due.get(id))]
    writes.insert_or_update("order_lines", _LINE_COLUMNS, _ADD_LINES, _CHANGE_LINES, lines, new)


def line_rows(order: Order, due: datetime | None) -> list[tuple[Any, ...]]:
    """The rows of `order_lines` for an order; `due` (UTC) is set on waiting lines only."""
    state = order.state
    return [
        (
            order.order_id,
            line.number,
            order.practice,
            order.pharmacy,
            order.patient,
            line.prk,
            line.outcome,
            state,
            due if line.outcome is Outcome.WAITING else None,
            order.placed_at,
            line.signal,
            line.reviewer,
        )
        for line in order.lines
    ]


def save_recovered(writes: Writes, events: Sequence[OrderEvent]) -> None:
    """Store published events until their orders' commands are consumed again."""
    writes.execute(
        "recovered_events",
        _SAVE_RECOVERED,
        [event.order_id for event in events],
        [event.seq for event in events],
        [event.ce_type() for event in events],
        [encode(event).decode() for event in events],
    )


def drop_recovered(writes: Writes, ids: Collection[UUID]) -> None:
    """Delete the recovered events of these orders, which are in the database now."""
    writes.execute("recovered_events", _DROP_RECOVERED, ids)


async def overviews(db: Connection, patients: Collection[str]) -> dict[str, Overview]:
    """The stored overviews of these patients."""
    rows = await db.fetch(_OVERVIEWS, patients)
    return {
        patient: Overview(practice, version, _read_entries(medications))
        for patient, practice, version, medications in rows
    }


def save_overviews(writes: Writes, changed: Mapping[str, Overview | None]) -> None:
    """Write these overviews, by patient; None deletes one."""
    stored = {patient: overview for patient, overview in changed.items() if overview is not None}
    removed = [patient for patient, overview in changed.items() if overview is None]
    if stored:
        writes.execute(
            "overviews",
            _SAVE_OVERVIEWS,
            [*stored],
            [overview.practice for overview in stored.values()],
            [overview.version for overview in stored.values()],
            [_json(overview.medications) for overview in stored.values()],
        )
    if removed:
        writes.execute("overviews", _DROP_OVERVIEWS, removed)


def _json(value: Any) -> str:
    return encode_parts(value).decode()


def _lines(notes: Sequence[Note]) -> str:
    """The notes as JSON Lines."""
    return "".join([f"{_json(note)}\n" for note in notes])


async def waiting(db: Connection) -> dict[Waits, int]:
    """How much waits to be decided, for an overview, or for a person."""
    row = await db.fetchrow(_COUNT_WAITING)
    assert row is not None, "a select without a table returns one row"
    return {
        Waits.INTAKE: row["intake"],
        Waits.ORDERS_WITHOUT_OVERVIEW: row["without_overview"],
        Waits.LINES_IN_REVIEW: row["in_review"],
    }
