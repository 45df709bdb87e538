"""All SQL of ordering."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

import msgspec

from runtime.connection import Connection
from runtime.records import decoder, encode, encode_parts
from runtime.rows import Rows
from runtime.writes import Writes
from schemas import topics
from schemas.medication import Status
from schemas.orders import OrderEvent
from services.ordering.domain.order import Order
from services.ordering.domain.overview import Overview

_ORDER = decoder(Order)
_EVENTS: Mapping[str, type[Any]] = topics.ORDERS_EVENTS.types

_ORDERS_BY_ID = "select body from orders where order_id = any($1::uuid[])"
# One round trip for all three: an order waits for each that comes before it.
_LOAD = """
select null::text as patient, null::text as type, body from orders
where order_id = any($1::uuid[])
union all
select patient, null, body from overviews where patient = any($2::text[])
union all
select null, type, body from adopted where order_id = any($1::uuid[])
"""
_SAVE_RECOVERED = """
insert into adopted (order_id, seq, type, body)
select * from unnest($1::uuid[], $2::int[], $3::text[], $4::bytea[])
on conflict (order_id, seq) do nothing
"""
_DROP_RECOVERED = "delete from adopted where order_id = any($1::uuid[])"
_WAITING_ORDERS = "select body from orders where state = 'waiting' and patient = any($1::text[])"
_ORDERS_OF_PATIENT = """
select body from orders where patient = $1 order by placed_at desc, order_id limit $2
"""
_ORDER_COLUMNS = ("order_id", "patient", "practice", "state", "placed_at", "digest", "body")
_ADD_ORDERS = """
insert into orders (order_id, patient, practice, state, placed_at, digest, body)
select * from unnest(
    $1::uuid[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::text[], $7::bytea[]
)
"""
# They are there; `on conflict` finds them by key, whatever the plan, as a join may not.
_CHANGE_ORDERS = f"""{_ADD_ORDERS}
on conflict (order_id) do update set state = excluded.state, body = excluded.body
"""
_SETTLE = "delete from intake where order_id = any($1::uuid[])"

_OVERVIEWS = "select patient, body from overviews where patient = any($1::text[])"
_SAVE_OVERVIEWS = """
insert into overviews (patient, version, body)
select * from unnest($1::text[], $2::int[], $3::bytea[])
on conflict (patient) do update set version = excluded.version, body = excluded.body
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
    count(*) filter (where running.body <> built.body) as changed
from public.overviews running full join overviews built using (patient)
"""

COMPARED = {"overviews": _COMPARE_OVERVIEWS}
"""ordering's projections, each with how what a rebuild made differs from what runs."""


class _Entry(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """An `overview.Entry`, as it is kept: a JSON array of these, in this order."""

    prk: str
    status: Status
    dosage: str
    quantity: int
    high_risk: bool
    repeat_service: bool


class _Kept(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """An `Overview` as it is kept: what the rules look at, without a name for each, a sixth of it."""

    practice: str
    version: int
    medications: tuple[_Entry, ...]


_read_kept = msgspec.json.Decoder(_Kept).decode


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
    for patient, ce_type, body in await db.fetch(_LOAD, ids, patients):
        if patient is not None:
            overviews[patient] = _read_kept(body)
        elif ce_type is not None:
            event = _EVENTS[ce_type].model_validate_json(body)
            recovered.setdefault(event.order_id, []).append(event)
        else:
            order = _ORDER.decode(body)
            orders[order.order_id] = order
    for events in recovered.values():
        events.sort(key=attrgetter("seq"))
    return orders, overviews, recovered


def save_orders(writes: Writes, orders: Rows[UUID, Order]) -> None:
    """Write the changed orders as they stand now.

    It is outdated when the id of a new one has become another patient's order since.
    """
    rows = [
        (id, o.patient, o.practice, o.state, o.placed_at, o.digest, encode_parts(o))
        for id, o in orders.changed.items()
    ]
    writes.save("orders", _ORDER_COLUMNS, _ADD_ORDERS, _CHANGE_ORDERS, rows, orders.new)


def settle(writes: Writes, taken_in: Collection[UUID]) -> None:
    """Forget what the API had noted of these orders: the loop has seen them."""
    writes.execute("intake", _SETTLE, taken_in)


def save_recovered(writes: Writes, events: Sequence[OrderEvent]) -> None:
    """Keep published events until their orders' requests come again."""
    writes.execute(
        "adopted",
        _SAVE_RECOVERED,
        [event.order_id for event in events],
        [event.seq for event in events],
        [event.ce_type() for event in events],
        [encode(event) for event in events],
    )


def drop_recovered(writes: Writes, ids: Collection[UUID]) -> None:
    """The orders with these ids are in the database now."""
    writes.execute("adopted", _DROP_RECOVERED, ids)


async def overviews(db: Connection, patients: Collection[str]) -> dict[str, Overview]:
    """The newest overview that has arrived of each of these patients."""
    rows = await db.fetch(_OVERVIEWS, patients)
    return {patient: _read_kept(body) for patient, body in rows}


def save_overviews(writes: Writes, changed: Mapping[str, Overview | None]) -> None:
    """Keep these overviews, by patient; None removes a patient's."""
    kept = {patient: overview for patient, overview in changed.items() if overview is not None}
    gone = [patient for patient, overview in changed.items() if overview is None]
    if kept:
        writes.execute(
            "overviews",
            _SAVE_OVERVIEWS,
            [*kept],
            [overview.version for overview in kept.values()],
            [as_kept(overview) for overview in kept.values()],
        )
    if gone:
        writes.execute("overviews", _DROP_OVERVIEWS, gone)


def as_kept(overview: Overview) -> bytes:
    """An overview as the table has it: JSON."""
    entries = tuple(
        [
            _Entry(m.prk, m.status, m.dosage, m.quantity, m.high_risk, m.repeat_service)
            for m in overview.medications
        ]
    )
    return encode_parts(_Kept(overview.practice, overview.version, entries))


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
