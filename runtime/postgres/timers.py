"""The SQL of timers: records that will be published at a given time."""

from collections.abc import Iterable, Sequence

import msgspec

from runtime.messages.message import Outgoing, Timer
from runtime.postgres.connection import Connection
from runtime.postgres.statements import Writes

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Outgoing).decode

_SET_TIMERS = """
insert into timers (id, partition, due_at, record)
select * from unnest($1::uuid[], $2::int[], $3::timestamptz[], $4::bytea[])
on conflict (id) do update set due_at = excluded.due_at, record = excluded.record
"""
_CANCEL_TIMERS = "delete from timers where id = any($1::uuid[])"
# By the database's clock, which is the same for all workers.
_ANY_DUE = """
select exists (select from timers where partition = any($1::int[]) and due_at <= now())
"""
_COUNT = "select count(*) as n from timers"
_DUE_TIMERS = """
delete from timers where id = any(array(
    select id from timers where partition = any($1::int[]) and due_at <= now()
    order by due_at limit 1000
)) returning partition, record, due_at
"""


def upsert(writes: Writes, timers: Sequence[tuple[int, Timer]]) -> None:
    """Set timers, each with its input partition; replace timers with the same id."""
    writes.execute(
        "timers",
        _SET_TIMERS,
        [t.id for _, t in timers],
        [partition for partition, _ in timers],
        [t.due_at for _, t in timers],
        [_encode(t.record) for _, t in timers],
    )


def cancel(writes: Writes, ids: Sequence[str]) -> None:
    """Delete the timers with these ids, if any."""
    writes.execute("timers", _CANCEL_TIMERS, ids)


async def any_due(db: Connection, partitions: Iterable[int]) -> bool:
    """Whether a timer of these partitions is due, by the database's clock."""
    is_due: bool = await db.fetchval(_ANY_DUE, list(partitions))
    return is_due


async def pop_due(db: Connection, partitions: Iterable[int]) -> dict[int, list[Outgoing]]:
    """Delete the due timers of these partitions; return their records by partition, earliest first."""
    due: dict[int, list[Outgoing]] = {}
    rows = await db.fetch(_DUE_TIMERS, list(partitions))
    for r in sorted(rows, key=lambda row: row["due_at"]):
        due.setdefault(r["partition"], []).append(_decode(r["record"]))
    return due


async def count(db: Connection) -> int:
    """How many timers are set."""
    row = await db.fetchrow(_COUNT)
    return int(row["n"]) if row else 0
