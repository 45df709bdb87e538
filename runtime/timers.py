"""The SQL of timers: records that are to be published when their time has come."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from runtime.connection import Connection
from runtime.records import Outgoing, Timer
from runtime.writes import Writes

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Outgoing).decode

_SET_TIMERS = """
insert into timers (id, partition, due_at, record)
select * from unnest($1::uuid[], $2::int[], $3::timestamptz[], $4::bytea[])
on conflict (id) do update set due_at = excluded.due_at, record = excluded.record
"""
_CANCEL_TIMERS = "delete from timers where id = any($1::uuid[])"
# The database's clock decides what is due: one clock for all workers.
_ANY_DUE = """
select exists (select from timers where partition = any($1::int[]) and due_at <= now())
"""
_DUE_TIMERS = """
delete from timers where id = any(array(
    select id from timers where partition = any($1::int[]) and due_at <= now()
    order by due_at limit 1000
)) returning partition, record, due_at
"""


def keep(writes: Writes, timers: Sequence[tuple[int, Timer]]) -> None:
    """Store due times, each with the partition of the input that set it."""
    writes.execute(
        "timers",
        _SET_TIMERS,
        [t.id for _, t in timers],
        [partition for partition, _ in timers],
        [t.due_at for _, t in timers],
        [_encode(t.record) for _, t in timers],
    )


def cancel(writes: Writes, ids: Sequence[str]) -> None:
    """Drop due times that no longer matter."""
    writes.execute("timers", _CANCEL_TIMERS, ids)


async def any_due(db: Connection, partitions: Iterable[int]) -> bool:
    """Whether anything is due in these partitions by the database's clock."""
    found: bool = await db.fetchval(_ANY_DUE, list(partitions))
    return found


async def due(
    db: Connection, partitions: Iterable[int]
) -> dict[int, list[tuple[datetime, Outgoing]]]:
    """Remove and return what is due in these partitions by the database's clock, earliest first."""
    due: dict[int, list[tuple[datetime, Outgoing]]] = {}
    rows = await db.fetch(_DUE_TIMERS, list(partitions))
    for r in sorted(rows, key=lambda row: row["due_at"]):
        due.setdefault(r["partition"], []).append((r["due_at"], _decode(r["record"])))
    return due
