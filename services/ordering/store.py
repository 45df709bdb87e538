"""All SQL of ordering."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
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
from services.ordering.domain.order import Order
from services.ordering.domain.overview import Entry, Overview

_ORDER = decoder(Order)
_EVENTS: Mapping[str, type[Any]] = topics.ORDERS_EVENTS.types
_read_entries = msgspec.json.Decoder(tuple[Entry, ...]).decode

_ORDERS_BY_ID = "select body from orders where order_id = any($1::uuid[])"
# One query for all three: each round trip adds to the time to a decision.
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
select * from unnest($1::uuid[], $2::int[], $3::text[], $4::json[])
on conflict (order_id, seq) do nothing
"""
_DROP_RECOVERED = "delete from recovered_events where order_id = any($1::uuid[])"
_WAITING_ORDERS = "select body from orders where state = 'waiting' and patient = any($1::text[])"
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
_ORDER_COLUMNS = ("order_id", "patient", "practice", "state", "placed_at", "digest", "body")
_ADD_ORDERS = """
insert into orders (order_id, patient, practice, state, placed_at, digest, body)
select * from unnest(
    $1::uuid[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::text[], $7::json[]
)
"""
# The rows exist; `on conflict` guarantees an index lookup, which a join does not.
_CHANGE_ORDERS = f"""{_ADD_ORDERS}
on conflict (order_id) do update set state = excluded.state, body = excluded.body
"""
_LINE_COLUMNS = (
    *("order_id", "line", "practice", "pharmacy", "patient", "prk", "outcome", "state", "due"),
    "placed_at",
)
_ADD_LINES = """
insert into order_lines (
    order_id, line, practice, pharmacy, patient, prk, outcome, state, due, placed_at
)
select * from unnest(
    $1::uuid[], $2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::timestamptz[], $10::timestamptz[]
)
"""
# A line whose outcome does not change keeps its due time.
_CHANGE_LINES = f"""{_ADD_LINES}
on conflict (order_id, line) do update set outcome = excluded.outcome, state = excluded.state,
    due = case when order_lines.outcome = excluded.outcome
        then coalesce(excluded.due, order_lines.due) else excluded.due end
"""
_CLEAR_INTAKE = "delete from intake where order_id = any($1::uuid[])"

_OVERVIEWS = """
select patient, practice, version, medications from overviews where patient = any($1::text[])
"""
_SAVE_OVERVIEWS = """
insert into overviews (patient, practice, version, medications)
select * from unnest($1::text[], $2::text[], $3::int[], $4::json[])
on conflict (patient) do update set practice = excluded.practice, version = excluded.version,
    medications = excluded.medications
"""
_DROP_OVERVIEWS = "delete from overviews where patient = any($1::text[])"

_ADD_TO_INTAKE = """
with added as (
    insert into intake (order_id, patient, digest, practice, pharmacy)
    select order_id, patient, digest, practice, pharmacy
    from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[])
        with ordinality as a(order_id, patient, digest, practice, pharmacy, place)
    where (select true from orders where orders.order_id = a.order_id limit 1) is null
    order by place
    on conflict (order_id) do nothing
    returning order_id, digest
)
select order_id, digest from added
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
_REMOVE_FROM_INTAKE = "delete from intake where order_id = $1 and digest = $2"
_INTAKE = """
select order_id, patient, received_at, practice, pharmacy from intake where order_id = $1
"""

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


@dataclass(frozen=True, slots=True)
class Arrival:
    """An order that arrives by HTTP, as the intake keeps it."""

    order_id: UUID
    patient: str
    digest: str
    practice: str
    pharmacy: str


@dataclass(frozen=True, slots=True)
class Received:
    """An order in the intake: the API accepted it, the loop has not decided it. Times are UTC.

    `practice` and `pharmacy` are None for an order that was accepted before they were kept.
    """

    order_id: UUID
    patient: str
    received_at: datetime
    practice: str | None
    pharmacy: str | None


async def orders(db: Connection, ids: Collection[UUID]) -> dict[UUID, Order]:
    """The decided orders with these ids."""
    rows = await db.fetch(_ORDERS_BY_ID, ids)
    return {order.order_id: order for row in rows if (order := _ORDER.decode(row["body"]))}


async def waiting_orders(db: Connection, patients: Collection[str]) -> list[Order]:
    """The orders of these patients that wait for an overview."""
    rows = await db.fetch(_WAITING_ORDERS, patients)
    return [_ORDER.decode(row["body"]) for row in rows]


async def orders_of_patient(db: Connection, patient: str, share: Share, limit: int) -> list[Order]:
    """A patient's orders, newest first."""
    rows = await db.fetch(
        _ORDERS_OF_PATIENT, patient, limit, share.everything, share.practices, share.pharmacies
    )
    return [_ORDER.decode(row["body"]) for row in rows]


async def load(
    db: Connection, ids: Collection[UUID], patients: Collection[str]
) -> tuple[dict[UUID, Order], dict[str, Overview], dict[UUID, list[OrderEvent]]]:
    """Load the decided orders with these ids, these patients' overviews, and recovered events by order.

    Recovered events are sorted by `seq`; their orders are not in the database yet.
    """
    orders: dict[UUID, Order] = {}
    overviews: dict[str, Overview] = {}
    recovered: dict[UUID, list[OrderEvent]] = {}
    for patient, practice, version, ce_type, body in await db.fetch(_LOAD, ids, patients):
        if patient is not None:
            overviews[patient] = Overview(practice, version, _read_entries(body))
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
    """Write the changed orders with their lines; `due` is when (UTC) an order that began to wait stops waiting.

    The batch is outdated when another batch has stored an order under the id of a new one.
    """
    changed, new = orders.changed, orders.new
    rows = [
        (id, o.patient, o.practice, o.state, o.placed_at, o.digest, _json(o))
        for id, o in changed.items()
    ]
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
        )
        for line in order.lines
    ]


def clear_intake(writes: Writes, ids: Collection[UUID]) -> None:
    """Delete these orders from the intake: the loop has handled them."""
    writes.execute("intake", _CLEAR_INTAKE, ids)


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


async def add_to_intake(db: Connection, arrivals: Sequence[Arrival]) -> dict[UUID, str]:
    """Add orders to the intake; return the digest stored for each id, new or earlier.

    An id is absent when another request removes the same order at the same time.
    """
    ids = [arrival.order_id for arrival in arrivals]
    rows = await db.fetch(
        _ADD_TO_INTAKE,
        ids,
        [arrival.patient for arrival in arrivals],
        [arrival.digest for arrival in arrivals],
        [arrival.practice for arrival in arrivals],
        [arrival.pharmacy for arrival in arrivals],
    )
    digests = {row["order_id"]: row["digest"] for row in rows}
    if any(order_id not in digests for order_id in ids):
        # Another process added the row after this statement began: only the next statement sees it.
        digests |= {row["order_id"]: row["digest"] for row in await db.fetch(_DIGESTS, ids)}
    return digests


async def remove_from_intake(db: Connection, order_id: UUID, digest: str) -> None:
    """Remove an order that Kafka did not acknowledge."""
    await db.execute(_REMOVE_FROM_INTAKE, order_id, digest)


async def received(db: Connection, order_id: UUID) -> Received | None:
    """The order with this id in the intake; None when it is not there."""
    row = await db.fetchrow(_INTAKE, order_id)
    return Received(**row) if row else None


async def waiting(db: Connection) -> dict[Waits, int]:
    """How much waits to be decided, for an overview, or for a person."""
    row = await db.fetchrow(_COUNT_WAITING)
    assert row is not None, "a select without a table returns one row"
    return {
        Waits.INTAKE: row["intake"],
        Waits.ORDERS_WITHOUT_OVERVIEW: row["without_overview"],
        Waits.LINES_IN_REVIEW: row["in_review"],
    }
