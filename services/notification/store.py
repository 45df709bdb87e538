"""All SQL of notification."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from runtime.http.caller import Share
from runtime.messages.encoding import decoder, encode, encode_parts
from runtime.postgres.connection import Connection
from runtime.postgres.identity_map import IdentityMap
from runtime.postgres.statements import Writes
from schemas.records.notifications import Kind, MessageSent, PickupPromised
from services.notification.domain.messages import Answer, Cancellation, Facts
from services.notification.domain.order import Order

_ORDER = decoder(Order)
_FACTS: dict[Kind, msgspec.json.Decoder[Any]] = {
    Kind.ORDER_ANSWER: decoder(Answer),
    Kind.LINE_ANSWER: decoder(Answer),
    Kind.ORDER_CANCELLED: decoder(Cancellation),
}

_SENT: dict[str, type[MessageSent] | type[PickupPromised]] = {
    MessageSent.TYPE: MessageSent,
    PickupPromised.TYPE: PickupPromised,
}

_ORDERS = "select body from orders where order_id = any($1::uuid[])"
_ORDER_COLUMNS = ("order_id", "seq", "body")
_ADD_ORDERS = """
insert into orders (order_id, seq, body)
select * from unnest($1::uuid[], $2::int[], $3::bytea[])
"""
# The rows exist; `on conflict` guarantees an index lookup, which a join does not.
_CHANGE_ORDERS = f"""{_ADD_ORDERS}
on conflict (order_id) do update set seq = excluded.seq, body = excluded.body
"""
_MESSAGE_COLUMNS = (
    "message_id",
    "patient",
    "order_id",
    "template",
    "template_version",
    "at",
    "facts",
)
_ADD_MESSAGES = """
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
select message_id, patient, order_id, template, template_version, at, facts,
    (select read_at from message_reads r where r.message_id = m.message_id) as read_at
from messages m where patient = $1 and ($2::bigint is null or id < $2)
and ($4 or convert_from(facts, 'UTF8')::json #>> '{practice,agb}' = any($5::text[]))
order by id desc limit $3
"""
_IN_INBOX = "select order_id, at from messages where patient = any($1::text[])"
_LOAD = """
select null::uuid as sent_id, null as type, body from orders where order_id = any($1::uuid[])
union all
select id, type, body from sent_before_restore where order_id = any($1::uuid[])
"""
_ADD_SENT = """
insert into sent_before_restore (id, order_id, type, body)
select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::bytea[])
on conflict (order_id, id) do nothing
"""
_DELETE_SENT = "delete from sent_before_restore where id = any($1::uuid[])"
_INBOX_POSITION = """
select id from messages where message_id = $1 and patient = $2
and ($3 or convert_from(facts, 'UTF8')::json #>> '{practice,agb}' = any($4::text[]))
"""

# A rebuild copies stored messages unchanged, in the order of their events, and adds only missing ones.
_PREPARE = """
create table unpromised (promise text primary key, message_id uuid not null)
"""
# Stored messages that are not built keep their ids; every built message gets a higher id.
_START_IDS_AFTER = """
select setval(
    pg_get_serial_sequence('messages', 'id'),
    (select coalesce(max(id), 0) + 1 from public.messages)
)
"""
_BUILD_MESSAGES = """
insert into messages (message_id, patient, order_id, template, template_version, at, facts)
select
    built.message_id,
    coalesce(stored.patient, built.patient),
    coalesce(stored.order_id, built.order_id),
    coalesce(stored.template, built.template),
    coalesce(stored.template_version, built.template_version),
    coalesce(stored.at, built.at),
    coalesce(stored.facts, built.facts)
from unnest(
    $1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::int[], $6::timestamptz[], $7::bytea[]
) with ordinality as built (
    message_id, patient, order_id, template, template_version, at, facts, place
) left join public.messages stored on stored.message_id = built.message_id
order by place
"""
_NOT_STORED = """
select message_id from unnest($1::uuid[]) as built (message_id)
where not exists (select from public.messages stored where stored.message_id = built.message_id)
"""
_KEEP_MESSAGES = """
insert into messages (id, message_id, patient, order_id, template, template_version, at, facts)
overriding system value
select id, message_id, patient, order_id, template, template_version, at, facts
from public.messages stored
where not exists (select from messages built where built.message_id = stored.message_id)
"""
_NOTE_UNPROMISED = "insert into unpromised select * from unnest($1::text[], $2::uuid[])"
_HAS_UNPROMISED = "select exists (select from unpromised)"
_UNPROMISED = """
select promise, message_id, patient, order_id, template, template_version, at, facts
from unpromised join messages using (message_id) where promise = any($1::text[])
"""
_SAVE_FACTS = """
update messages set facts = changed.facts
from unnest($1::uuid[], $2::bytea[]) as changed (message_id, facts)
where messages.message_id = changed.message_id
"""
_COMPARE_ORDERS = """
select count(built.order_id) as rows,
    count(*) filter (where running.order_id is null) as added,
    count(*) filter (where built.order_id is null) as gone,
    count(*) filter (where running.body <> built.body
        and convert_from(running.body, 'UTF8')::jsonb <> convert_from(built.body, 'UTF8')::jsonb
    ) as changed
from public.orders running full join orders built using (order_id)
"""
_COMPARE_MESSAGES = """
select count(built.id) as rows,
    count(*) filter (where running.id is null) as added,
    count(*) filter (where built.id is null) as gone,
    count(*) filter (where
        (running.patient, running.order_id, running.template, running.template_version, running.at,
            running.facts)
        <> (built.patient, built.order_id, built.template, built.template_version, built.at,
            built.facts)) as changed
from public.messages running full join messages built using (message_id)
"""

COMPARED = {"orders": _COMPARE_ORDERS, "messages": _COMPARE_MESSAGES}
"""Every table that is rebuilt, with the query that compares the rebuilt table with the running one."""


class StoredMessage(msgspec.Struct, frozen=True):
    """A message in a patient's inbox; `at` (UTC) is the append time of the event that it answers."""

    message_id: UUID
    patient: str
    order_id: UUID
    kind: Kind
    template_version: int
    at: datetime
    facts: Facts


async def orders(db: Connection, ids: Collection[UUID]) -> dict[UUID, Order]:
    """The stored ones of these orders."""
    rows = await db.fetch(_ORDERS, ids)
    return {order.order_id: order for row in rows if (order := _ORDER.decode(row["body"]))}


def save_orders(writes: Writes, orders: IdentityMap[UUID, Order]) -> None:
    """Write the changed orders. The batch is outdated when one of its new orders is stored already."""
    rows = [(id, order.seq, encode_parts(order)) for id, order in orders.changed.items()]
    writes.insert_or_update("orders", _ORDER_COLUMNS, _ADD_ORDERS, _CHANGE_ORDERS, rows, orders.new)


def add_messages(writes: Writes, new: Sequence[StoredMessage]) -> None:
    """Add messages to their patients' inboxes, in this order."""
    writes.insert("messages", _MESSAGE_COLUMNS, _ADD_MESSAGES, _rows(new))


async def in_inbox(db: Connection, patients: Collection[str]) -> set[tuple[UUID, datetime]]:
    """(order id, time in UTC) of every message in these patients' inboxes."""
    return {(row["order_id"], row["at"]) for row in await db.fetch(_IN_INBOX, patients)}


async def load(
    db: Connection, ids: Collection[UUID]
) -> tuple[dict[UUID, Order], dict[UUID, dict[UUID, MessageSent | PickupPromised]]]:
    """Load these orders, and by order and record id what was sent before a restore and is in no inbox."""
    stored: dict[UUID, Order] = {}
    sent: dict[UUID, dict[UUID, MessageSent | PickupPromised]] = {}
    for row in await db.fetch(_LOAD, ids):
        if row["sent_id"] is None:
            order = _ORDER.decode(row["body"])
            stored[order.order_id] = order
        else:
            body = _SENT[row["type"]].model_validate_json(row["body"])
            sent.setdefault(body.order_id, {})[row["sent_id"]] = body
    return stored, sent


def add_sent(writes: Writes, records: Sequence[tuple[UUID, MessageSent | PickupPromised]]) -> None:
    """Store records (id, body) that were published before a restore, until their events are handled again."""
    writes.execute(
        "sent_before_restore",
        _ADD_SENT,
        [id for id, _ in records],
        [body.order_id for _, body in records],
        [body.TYPE for _, body in records],
        [encode(body) for _, body in records],
    )


def delete_sent(writes: Writes, ids: Collection[UUID]) -> None:
    """Delete these records: their events were handled again."""
    writes.execute("sent_before_restore", _DELETE_SENT, ids)


async def messages(
    db: Connection, patient: str, share: Share, before: int | None, limit: int
) -> list[tuple[StoredMessage, datetime | None]]:
    """This share of a patient's messages, newest first: those before an inbox position, if it is given.

    With each, when it was read (UTC).
    """
    rows = await db.fetch(_MESSAGES, patient, before, limit, share.everything, share.practices)
    return [(_message(row), row["read_at"]) for row in rows]


async def inbox_position(
    db: Connection, patient: str, share: Share, message_id: UUID
) -> int | None:
    """The position of a message in its patient's inbox; None when it is not there, or not in this share."""
    position: int | None = await db.fetchval(
        _INBOX_POSITION, message_id, patient, share.everything, share.practices
    )
    return position


async def prepare_rebuild(db: Connection) -> None:
    """Create what a rebuild needs besides the tables."""
    await db.execute(_PREPARE)
    await db.execute(_START_IDS_AFTER)


async def build_messages(db: Connection, built: Sequence[StoredMessage]) -> set[UUID]:
    """Add these messages in this order, stored ones unchanged; return the ids of those that are not stored."""
    missing = await db.fetch(_NOT_STORED, [m.message_id for m in built])
    await db.execute(_BUILD_MESSAGES, *zip(*_rows(built), strict=True))
    return {row["message_id"] for row in missing}


async def keep_messages(db: Connection) -> None:
    """Copy stored messages that are not built, because their events have expired."""
    await db.execute(_KEEP_MESSAGES)


async def note_unpromised(db: Connection, promises: Mapping[UUID, str]) -> None:
    """Note for built messages without a window which record would promise it, by message id."""
    await db.execute(_NOTE_UNPROMISED, list(promises.values()), list(promises))


async def has_unpromised(db: Connection) -> bool:
    """Tell whether any built message lacks its pickup window."""
    exists: bool = await db.fetchval(_HAS_UNPROMISED)
    return exists


async def unpromised(db: Connection, promises: Collection[str]) -> dict[str, StoredMessage]:
    """The built messages whose pickup these records promise, by the record's `ce_id`."""
    rows = await db.fetch(_UNPROMISED, promises)
    return {row["promise"]: _message(row) for row in rows}


async def save_facts(db: Connection, changed: Sequence[StoredMessage]) -> None:
    """Write the facts of these built messages."""
    await db.execute(
        _SAVE_FACTS,
        [m.message_id for m in changed],
        [encode_parts(m.facts) for m in changed],
    )


def _rows(messages: Sequence[StoredMessage]) -> list[tuple[Any, ...]]:
    return [
        (
            *(m.message_id, m.patient, m.order_id, m.kind, m.template_version, m.at),
            encode_parts(m.facts),
        )
        for m in messages
    ]


def _message(row: Any) -> StoredMessage:
    kind = Kind(row["template"])
    return StoredMessage(
        message_id=row["message_id"],
        patient=row["patient"],
        order_id=row["order_id"],
        kind=kind,
        template_version=row["template_version"],
        at=row["at"],
        facts=_FACTS[kind].decode(row["facts"]),
    )
