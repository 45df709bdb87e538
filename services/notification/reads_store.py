"""All SQL about what was read. It follows from no topic."""

from datetime import datetime
from uuid import UUID

from runtime.http.caller import Share
from runtime.postgres.connection import Connection

_MARK = """
with message as (select message_id, patient from messages where message_id = $1 and patient = $2),
marked as (
    insert into message_reads (message_id, patient, read_at)
    select message_id, patient, $3 from message
    on conflict (message_id) do nothing
)
select exists (select from message)
"""
_UNREAD = """
select count(*) from messages m
where patient = $1 and ($2 or convert_from(facts, 'UTF8')::json #>> '{practice,agb}' = any($3::text[]))
and (select read_at from message_reads r where r.message_id = m.message_id) is null
"""
_DELETE = "delete from message_reads where patient = $1"


async def mark(db: Connection, patient: str, message_id: UUID, at: datetime) -> bool:
    """Note that a message was read; `at` is now (UTC), and an earlier time stays.

    Return whether this patient has this message.
    """
    found: bool = await db.fetchval(_MARK, message_id, patient, at)
    return found


async def unread(db: Connection, patient: str, share: Share) -> int:
    """How many messages of this share of a patient's inbox nobody has read."""
    count: int = await db.fetchval(_UNREAD, patient, share.everything, share.practices)
    return count


async def delete(db: Connection, patient: str) -> None:
    """Forget what of a patient's messages was read."""
    await db.execute(_DELETE, patient)
