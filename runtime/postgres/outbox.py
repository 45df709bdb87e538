"""The SQL of the outbox: records that are decided and not yet acknowledged by Kafka."""

from collections.abc import Iterable, Sequence

from runtime.messages.positions import OutboxRow, Published, newest_per_partition
from runtime.postgres import progress
from runtime.postgres.connection import Connection
from runtime.postgres.outbox_format import unpack
from runtime.postgres.statements import Writes, combine

_LEFTOVERS = """
select id, partition, records from outbox where partition = any($1::int[]) order by id limit $2
"""
_DROP = "delete from outbox where id = any($1::bigint[])"
# The setting holds until the end of the transaction, which is this one statement.
# A crash may undo the deletion: the loop then finds the rows (`has_stale`) and publishes them again.
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
_COUNT = "select count(*) as n from outbox"
_OLDEST = "select extract(epoch from now() - min(created_at))::float8 from outbox"


async def leftovers(db: Connection, partitions: Iterable[int], at_most: int) -> list[OutboxRow]:
    """Read the oldest rows of these partitions, oldest first."""
    rows = await db.fetch(_LEFTOVERS, list(partitions), at_most)
    return [OutboxRow(r["id"], r["partition"], unpack(r["records"])) for r in rows]


async def drop(db: Connection, published: Sequence[Published]) -> None:
    """Delete published rows and store the acknowledged offsets, with asynchronous commit."""
    writes = Writes()
    drop_with(writes, published)
    statements = writes.combinable()
    assert statements is not None, "statements for different tables can be combined"
    sql, arguments = combine(_ASYNCHRONOUS, 0, statements)
    await db.execute(sql, *arguments)


def drop_with(writes: Writes, published: Sequence[Published]) -> None:
    """Add the same statements to `writes` of a batch, which must not claim the output topic."""
    writes.execute("outbox", _DROP, [id for p in published for id in p.ids])
    if furthest := newest_per_partition([a for p in published for a in p.acknowledged]):
        progress.save_acknowledged(writes, furthest)


async def has_stale(db: Connection, partitions: Iterable[int], age_s: float) -> bool:
    """Whether these partitions have a row older than `age_s` seconds."""
    stale: bool = await db.fetchval(_STALE, list(partitions), age_s)
    return stale


async def age_s(db: Connection) -> float:
    """The age of the oldest row in seconds; 0 if the outbox is empty."""
    return await db.fetchval(_OLDEST) or 0.0


async def count(db: Connection) -> int:
    """How many rows there are."""
    row = await db.fetchrow(_COUNT)
    return int(row["n"]) if row else 0
