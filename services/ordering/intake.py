"""The intake: orders that the API has accepted and the loop has not handled yet. All its SQL."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from runtime.postgres.connection import Connection
from runtime.postgres.statements import Writes

_ADD = """
with added as (
    insert into intake (order_id, patient, digest, practice, pharmacy)
    select order_id, patient, digest, practice, pharmacy
    from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[])
        with ordinality as a(order_id, patient, digest, practice, pharmacy, place)
    where (select true from order_ids where order_ids.order_id = a.order_id limit 1) is null
    order by place
    on conflict (order_id) do nothing
    returning order_id, digest
)
select order_id, digest from added
union all
select order_id, digest from intake where order_id = any($1::uuid[])
union all
select order_id, digest from orders_by_id($1::uuid[])
"""
_DIGESTS = """
select order_id, digest from intake where order_id = any($1::uuid[])
union all
select order_id, digest from orders_by_id($1::uuid[])
"""
_REMOVE = "delete from intake where order_id = $1 and digest = $2"
_RECEIVED = """
select order_id, patient, received_at, practice, pharmacy from intake where order_id = $1
"""
_CLEAR = "delete from intake where order_id = any($1::uuid[])"


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


async def add(db: Connection, arrivals: Sequence[Arrival]) -> dict[UUID, str]:
    """Add orders to the intake; return the digest stored for each id, new or earlier.

    An id is absent when another request removes the same order at the same time.
    """
    ids = [arrival.order_id for arrival in arrivals]
    rows = await db.fetch(
        _ADD,
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


async def remove(db: Connection, order_id: UUID, digest: str) -> None:
    """Remove an order that Kafka did not acknowledge."""
    await db.execute(_REMOVE, order_id, digest)


async def received(db: Connection, order_id: UUID) -> Received | None:
    """The order with this id in the intake; None when it is not there."""
    row = await db.fetchrow(_RECEIVED, order_id)
    return Received(**row) if row else None


def clear(writes: Writes, ids: Collection[UUID]) -> None:
    """Delete these orders from the intake: the loop has handled them."""
    writes.execute("intake", _CLEAR, ids)
