"""The SQL of the outbox: records that are saved and perhaps not published yet."""

from collections.abc import Iterable, Sequence

from runtime.messages.positions import Published, Stored, newest
from runtime.postgres import progress
from runtime.postgres.connection import Connection
from runtime.postgres.outbox_format import unpack
from runtime.postgres.statements import Writes, as_one

_LEFTOVERS = """
select id, partition, records from outbox where partition = any($1::int[]) order by id limit $2
"""
_DROP = "delete from outbox where id = any($1::bigint[])"
# One statement is one transaction and one round trip, and the setting holds to its end.
# A crash may undo the deletion: the loop sees the old rows (`has_stale`) and publishes them again.
_ASYNCHRONOUS = """
with asynchronous as materialized (
    select set_config('synchronous_commit', 'off', true)
)
select from asynchronous
"""
_STALE = """
select exists (
    select 1 from outbox
    where partition = any($1::int[]) and created_at < now() - make_interval(secs => $2)
)
"""
_OLDEST = "select extract(epoch from now() - min(created_at))::float8 from outbox"


async def leftovers(db: Connection, partitions: Iterable[int], at_most: int) -> list[Stored]:
    """The oldest rows of these partitions, oldest first."""
    rows = await db.fetch(_LEFTOVERS, list(partitions), at_most)
    return [Stored(r["id"], r["partition"], unpack(r["records"])) for r in rows]


async def drop(db: Connection, published: Sequence[Published]) -> None:
    """Delete published rows and note what Kafka acknowledged, without waiting for the disk."""
    writes = Writes()
    drop_with(writes, published)
    together = writes.together()
    assert together is not None, "two statements of different tables can be one"
    sql, arguments = as_one(_ASYNCHRONOUS, 0, together)
    await db.execute(sql, *arguments)


def drop_with(writes: Writes, published: Sequence[Published]) -> None:
    """The same together with a batch that is saved, which must not claim the output topic."""
    writes.execute("outbox", _DROP, [id for p in published for id in p.ids])
    if furthest := newest([a for p in published for a in p.acknowledged]):
        progress.acknowledge(writes, furthest)


async def has_stale(db: Connection, partitions: Iterable[int], age_s: float) -> bool:
    """Whether a row of these partitions is older than so many seconds."""
    stale: bool = await db.fetchval(_STALE, list(partitions), age_s)
    return stale


async def age_s(db: Connection) -> float:
    """The age in seconds of the oldest row; 0 when there is none."""
    return await db.fetchval(_OLDEST) or 0.0
