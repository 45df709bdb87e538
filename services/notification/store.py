"""All SQL of notification."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from runtime.handling import Connection
from services.notification.domain import Order
from services.notification.facts import Answer, Cancellation, Facts, Kind

_ORDER: TypeAdapter[Order] = TypeAdapter(Order)
_FACTS: dict[Kind, TypeAdapter[Any]] = {
    Kind.ORDER_ANSWER: TypeAdapter(Answer),
    Kind.LINE_ANSWER: TypeAdapter(Answer),
    Kind.ORDER_CANCELLED: TypeAdapter(Cancellation),
}

_ORDERS = "select body from orders where order_id = any($1::uuid[])"
_SAVE_ORDERS = """
insert into orders (order_id, seq, body)
select * from unnest($1::uuid[], $2::int[], $3::bytea[])
on conflict (order_id) do update set seq = excluded.seq, body = excluded.body
"""
_SAVE_MESSAGES = """
insert into messages (message_id, patient, order_id, template, template_version, at, facts)
select message_id, patient, order_id, template, template_version, at, facts
from unnest(
    $1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::int[], $6::timestamptz[], $7::bytea[]
) with ordinality as new (
    message_id, patient, order_id, template, template_version, at, facts, place
)
order by place
"""
_MESSAGES = """
select message_id, patient, order_id, template, template_version, at, facts from messages
where patient = $1 and ($2::bigint is null or id < $2) order by id desc limit $3
"""
_PLACE = "select id from messages where message_id = $1 and patient = $2"


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A message in a patient's inbox; `at` (UTC) is when it got there."""

    message_id: UUID
    patient: str
    order_id: UUID
    kind: Kind
    template_version: int
    at: datetime
    facts: Facts


async def orders(db: Connection, ids: Collection[UUID]) -> dict[UUID, Order]:
    """What is known of these orders."""
    rows = await db.fetch(_ORDERS, ids)
    return {order.order_id: order for row in rows if (order := _ORDER.validate_json(row["body"]))}


async def save_orders(db: Connection, changed: Sequence[Order]) -> None:
    """Write what is known of these orders now."""
    await db.execute(
        _SAVE_ORDERS,
        [o.order_id for o in changed],
        [o.seq for o in changed],
        [_ORDER.dump_json(o) for o in changed],
    )


async def save_messages(db: Connection, new: Sequence[StoredMessage]) -> None:
    """Add these to their patients' inboxes, in this order."""
    await db.execute(
        _SAVE_MESSAGES,
        [m.message_id for m in new],
        [m.patient for m in new],
        [m.order_id for m in new],
        [m.kind for m in new],
        [m.template_version for m in new],
        [m.at for m in new],
        [_FACTS[m.kind].dump_json(m.facts) for m in new],
    )


async def messages(
    db: Connection, patient: str, before: int | None, limit: int
) -> list[StoredMessage]:
    """A patient's messages, newest first; with `before`, those older than that place."""
    return [_message(row) for row in await db.fetch(_MESSAGES, patient, before, limit)]


async def place(db: Connection, patient: str, message_id: UUID) -> int | None:
    """Where a message stands in its patient's inbox; None when it is not there."""
    found: int | None = await db.fetchval(_PLACE, message_id, patient)
    return found


def _message(row: Any) -> StoredMessage:
    kind = Kind(row["template"])
    return StoredMessage(
        message_id=row["message_id"],
        patient=row["patient"],
        order_id=row["order_id"],
        kind=kind,
        template_version=row["template_version"],
        at=row["at"],
        facts=_FACTS[kind].validate_json(row["facts"]),
    )
