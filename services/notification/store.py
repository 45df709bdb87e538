"""All SQL of notification."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from runtime.handling import Connection
from runtime.records import encode
from schemas.notifications import MessageSent, PickupPromised
from services.notification.domain import Order
from services.notification.facts import Answer, Cancellation, Facts, Kind

_ORDER: TypeAdapter[Order] = TypeAdapter(Order)
_FACTS: dict[Kind, TypeAdapter[Any]] = {
    Kind.ORDER_ANSWER: TypeAdapter(Answer),
    Kind.LINE_ANSWER: TypeAdapter(Answer),
    Kind.ORDER_CANCELLED: TypeAdapter(Cancellation),
}

_TELLING: dict[str, type[MessageSent] | type[PickupPromised]] = {
    MessageSent.TYPE: MessageSent,
    PickupPromised.TYPE: PickupPromised,
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
_IN_INBOX = "select order_id, at from messages where patient = any($1::text[])"
_TOLD = "select order_id, id, type, body from told where order_id = any($1::uuid[])"
_SAVE_TOLD = """
insert into told (id, order_id, type, body)
select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::bytea[])
on conflict (order_id, id) do nothing
"""
_FORGET_TOLD = "delete from told where id = any($1::uuid[])"
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


async def in_inbox(db: Connection, patients: Collection[str]) -> set[tuple[UUID, datetime]]:
    """Order and time (UTC) of every message in these patients' inboxes."""
    return {(row["order_id"], row["at"]) for row in await db.fetch(_IN_INBOX, patients)}


async def told(
    db: Connection, ids: Collection[UUID]
) -> dict[UUID, dict[UUID, MessageSent | PickupPromised]]:
    """What was told of these orders and is not in any inbox here, by order and by the record's id."""
    found: dict[UUID, dict[UUID, MessageSent | PickupPromised]] = {}
    for row in await db.fetch(_TOLD, ids):
        body = _TELLING[row["type"]].model_validate_json(row["body"])
        found.setdefault(row["order_id"], {})[row["id"]] = body
    return found


async def save_told(
    db: Connection, records: Sequence[tuple[UUID, MessageSent | PickupPromised]]
) -> None:
    """Keep what was told, by the record's id, until its event is taken again."""
    await db.execute(
        _SAVE_TOLD,
        [id for id, _ in records],
        [body.order_id for _, body in records],
        [body.TYPE for _, body in records],
        [encode(body) for _, body in records],
    )


async def forget_told(db: Connection, ids: Collection[UUID]) -> None:
    """The records with these ids are known now."""
    await db.execute(_FORGET_TOLD, ids)


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
