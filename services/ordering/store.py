"""All SQL of ordering."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

import msgspec

from runtime.messages.encoding import decoder, encode, encode_parts
from runtime.postgres.connection import Connection
from runtime.postgres.identity_map import IdentityMap
from runtime.postgres.statements import Writes
from schemas import topics
from schemas.records.orders import OrderEvent, Outcome
from services.ordering.domain.order import Order
from services.ordering.domain.overview import KeptEntry, KeptOverview, Overview

_ORDER = decoder(Order)
_EVENTS: Mapping[str, type[Any]] = topics.ORDERS_EVENTS.types
_read_entries = msgspec.json.Decoder(tuple[KeptEntry, ...]).decode

_ORDERS_BY_ID = "select body from orders where order_id = any($1::uuid[])"
# One round trip for all three: an order waits for each that comes before it.
_LOAD = """
select null::text as patient, null::text as practice, null::int as version, null::text as type, body
from orders where order_id = any($1::uuid[])
union all
select patient, practice, version, null, medications from overviews where patient = any($2::text[])
union all
select null, null, null, type, body from recovered_events where order_id = any($1::uuid[])
"""
_SAVE_RECOVERED = """
insert into recovered_events (order_id, seq, type, body)
select * from unnest($1::uuid[], $2::int[], $3::text[], $4::jsonb[])
on conflict (order_id, seq) do nothing
"""
_DROP_RECOVERED = "delete from recovered_events where order_id = any($1::uuid[])"
_WAITING_ORDERS = "select body from orders where state = 'waiting' and patient = any($1::text[])"
_ORDERS_OF_PATIENT = """
select body from orders where patient = $1 order by placed_at desc, order_id limit $2
"""
_ORDER_COLUMNS = ("order_id", "patient", "practice", "state", "placed_at", "digest", "body")
_ADD_ORDERS = """
insert into orders (order_id, patient, practice, state, placed_at, digest, body)
select * from unnest(
    $1::uuid[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::text[], $7::jsonb[]
)
"""
# The rows exist; `on conflict` guarantees an index lookup, which a join does not.
_CHANGE_ORDERS = f"""{_ADD_ORDERS}
on conflict (order_id) do update set state = excluded.state, body = excluded.body
"""
_LINE_COLUMNS = (
    *("order_id", "line", "practice", "pharmacy", "patient", "prk", "outcome", "state", "due"),
)
_ADD_LINES = """
insert into order_lines (order_id, line, practice, pharmacy, patient, prk, outcome, state, due)
select * from unnest(
    $1::uuid[], $2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::timestamptz[]
)
"""
# A line that stays as it was keeps its due time.
_CHANGE_LINES = f"""{_ADD_LINES}
on conflict (order_id, line) do update set outcome = excluded.outcome, state = excluded.state,
    due = case when order_lines.outcome = excluded.outcome
        then coalesce(excluded.due, order_lines.due) else excluded.due end
"""
_SETTLE = "delete from intake where order_id = any($1::uuid[])"

_OVERVIEWS = """
select patient, practice, version, medications from overviews where patient = any($1::text[])
"""
_SAVE_OVERVIEWS = """
insert into overviews (patient, practice, version, medications)
select * from unnest($1::text[], $2::text[], $3::int[], $4::jsonb[])
on conflict (patient) do update set practice = excluded.practice, version = excluded.version,
    medications = excluded.medications
"""
_DROP_OVERVIEWS = "delete from overviews where patient = any($1::text[])"

# A row lost in a crash only means that a repeat is recognised by the loop instead of here, so the commit
# need not wait for the disk: the setting holds until the end of this one statement's transaction.
_TAKE_IN = """
with asynchronous as materialized (
    select set_config('synchronous_commit', 'off', true)
), taken as (
    insert into intake (order_id, patient, digest)
    select order_id, patient, digest
    from asynchronous, unnest($1::uuid[], $2::text[], $3::text[]) with ordinality
        as a(order_id, patient, digest, place)
    where (select true from orders where orders.order_id = a.order_id limit 1) is null
    order by place
    on conflict (order_id) do nothing
    returning order_id, digest
)
select order_id, digest from taken
union all
select order_id, digest from intake where order_id = any($1::uuid[])
union all
select order_id, digest from orders where order_id = any($1::uuid[])
"""
_DIGESTS = """
select order_id, digest from intake where order_id = any($1::uuid[])
union all
select order_id, digest from orders where order_id = any($1::uuid[])
"""
_TAKE_OUT = "delete from intake where order_id = $1 and digest = $2"
_INTAKE = "select order_id, patient, received_at from intake where order_id = $1"

# A rebuild compares what it built with what runs.
_COMPARE_OVERVIEWS = """
select count(built.patient) as rows,
    count(*) filter (where running.patient is null) as added,
    count(*) filter (where built.patient is null) as gone,
    count(*) filter (
        where (running.practice, running.version, running.medications)
            <> (built.practice, built.version, built.medications)
    ) as changed
from public.overviews running full join overviews built using (patient)
"""

COMPARED = {"overviews": _COMPARE_OVERVIEWS}
"""ordering's projections, each with how what a rebuild made differs from what runs."""


@dataclass(frozen=True, slots=True)
class Received:
    """An order that the API took and that is not decided yet."""

    order_id: UUID
    patient: str
    received_at: datetime


async def orders(db: Connection, ids: Collection[UUID]) -> dict[UUID, Order]:
    """The orders with these ids, as far as they are decided."""
    rows = await db.fetch(_ORDERS_BY_ID, ids)
    return {order.order_id: order for row in rows if (order := _ORDER.decode(row["body"]))}


async def waiting_orders(db: Connection, patients: Collection[str]) -> list[Order]:
    """The orders of these patients that wait for an overview."""
    rows = await db.fetch(_WAITING_ORDERS, patients)
    return [_ORDER.decode(row["body"]) for row in rows]


async def orders_of_patient(db: Connection, patient: str, limit: int) -> list[Order]:
    """A patient's orders, newest first."""
    rows = await db.fetch(_ORDERS_OF_PATIENT, patient, limit)
    return [_ORDER.decode(row["body"]) for row in rows]


async def load(
    db: Connection, ids: Collection[UUID], patients: Collection[str]
) -> tuple[dict[UUID, Order], dict[str, Overview], dict[UUID, list[OrderEvent]]]:
    """The orders with these ids, as far as they are decided, and these patients' newest overviews.

    Last the recovered events, in order, of orders that are not in the database otherwise.
    """
    orders: dict[UUID, Order] = {}
    overviews: dict[str, Overview] = {}
    recovered: dict[UUID, list[OrderEvent]] = {}
    for patient, practice, version, ce_type, body in await db.fetch(_LOAD, ids, patients):
        if patient is not None:
            overviews[patient] = KeptOverview(practice, version, _read_entries(body))
        elif ce_type is not None:
            event = _EVENTS[ce_type].model_validate_json(body)
            recovered.setdefault(event.order_id, []).append(event)
        else:
            order = _ORDER.decode(body)
            orders[order.order_id] = order
    for events in recovered.values():
        events.sort(key=attrgetter("seq"))
    return orders, overviews, recovered


def save_orders(
    writes: Writes, orders: IdentityMap[UUID, Order], due: Mapping[UUID, datetime]
) -> None:
    """Write the changed orders as they stand now, with their lines.

    `due` says when (UTC) those that began to wait are given up. It is outdated when the id of a new one has
    become another patient's order since.
    """
    changed, new = orders.changed, orders.new
    rows = [
        (id, o.patient, o.practice, o.state, o.placed_at, o.digest, _json(o))
        for id, o in changed.items()
    ]
    writes.save("orders", _ORDER_COLUMNS, _ADD_ORDERS, _CHANGE_ORDERS, rows, new)
    lines = [row for id, o in changed.items() for row in line_rows(o, due.get(id))]
    writes.save("order_lines", _LINE_COLUMNS, _ADD_LINES, _CHANGE_LINES, lines, new)


def line_rows(order: Order, due: datetime | None) -> list[tuple[Any, ...]]:
    """An order's lines as rows of `order_lines`; those that wait are given up when they are `due` (UTC)."""
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
        )
        for line in order.lines
    ]


def settle(writes: Writes, taken_in: Collection[UUID]) -> None:
    """Forget what the API had noted of these orders: the loop has seen them."""
    writes.execute("intake", _SETTLE, taken_in)


def save_recovered(writes: Writes, events: Sequence[OrderEvent]) -> None:
    """Keep published events until their orders' requests come again."""
    writes.execute(
        "recovered_events",
        _SAVE_RECOVERED,
        [event.order_id for event in events],
        [event.seq for event in events],
        [event.ce_type() for event in events],
        [encode(event).decode() for event in events],
    )


def drop_recovered(writes: Writes, ids: Collection[UUID]) -> None:
    """The orders with these ids are in the database now."""
    writes.execute("recovered_events", _DROP_RECOVERED, ids)


async def overviews(db: Connection, patients: Collection[str]) -> dict[str, Overview]:
    """The newest overview that has arrived of each of these patients."""
    rows = await db.fetch(_OVERVIEWS, patients)
    return {
        patient: KeptOverview(practice, version, _read_entries(medications))
        for patient, practice, version, medications in rows
    }


def save_overviews(writes: Writes, changed: Mapping[str, Overview | None]) -> None:
    """Keep these overviews, by patient; None removes a patient's."""
    kept = {patient: overview for patient, overview in changed.items() if overview is not None}
    gone = [patient for patient, overview in changed.items() if overview is None]
    if kept:
        writes.execute(
            "overviews",
            _SAVE_OVERVIEWS,
            [*kept],
            [overview.practice for overview in kept.values()],
            [overview.version for overview in kept.values()],
            [medications(overview) for overview in kept.values()],
        )
    if gone:
        writes.execute("overviews", _DROP_OVERVIEWS, gone)


def medications(overview: Overview) -> str:
    """The entries of an overview as the table has them: JSON."""
    entries = [
        KeptEntry(m.prk, m.status, m.dosage, m.quantity, m.high_risk, m.repeat_service)
        for m in overview.medications
    ]
    return _json(entries)


def _json(value: Any) -> str:
    return encode_parts(value).decode()


async def take_in(db: Connection, arrivals: Sequence[tuple[UUID, str, str]]) -> dict[UUID, str]:
    """Note orders (id, patient, digest) that the API takes; the digest that each id now stands for.

    An id is absent when another request has just taken the same order out again.
    """
    ids = [order_id for order_id, _, _ in arrivals]
    rows = await db.fetch(_TAKE_IN, ids, [p for _, p, _ in arrivals], [d for _, _, d in arrivals])
    digests = {row["order_id"]: row["digest"] for row in rows}
    if any(order_id not in digests for order_id in ids):
        # Another process took it after this statement had begun: only the next one sees its row.
        digests |= {row["order_id"]: row["digest"] for row in await db.fetch(_DIGESTS, ids)}
    return digests


async def take_out(db: Connection, order_id: UUID, digest: str) -> None:
    """Forget an order that could not be handed to Kafka."""
    await db.execute(_TAKE_OUT, order_id, digest)


async def received(db: Connection, order_id: UUID) -> Received | None:
    """An order that the API took and that is not decided yet."""
    row = await db.fetchrow(_INTAKE, order_id)
    return Received(row["order_id"], row["patient"], row["received_at"]) if row else None
