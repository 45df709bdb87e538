"""The SQL of progress: stored offsets with their fencing epochs, and the cluster that they belong to."""

from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg
from aiokafka import TopicPartition

from runtime.errors import Fenced
from runtime.messages.message import Outgoing
from runtime.messages.positions import Acknowledged, Claim, Position
from runtime.postgres.connection import Connection
from runtime.postgres.outbox_format import pack
from runtime.postgres.statements import Writes

FENCED = "HF001"
"""The SQLSTATE of the database function `fence`: see `migrations/0004_fence.sql`."""

_TAKE = """
insert into progress as p (topic, partition, next_offset, epoch)
select topic, partition, earliest, 1
from unnest($1::text[], $2::int[], $3::bigint[]) as n(topic, partition, earliest)
order by topic, partition
on conflict (topic, partition) do update set epoch = p.epoch + 1
returning topic, partition, next_offset, epoch, last_ms
"""

_STORE_FIRST_CLUSTER = "insert into kafka (cluster) values ($1) on conflict (one_row) do nothing"
_SET_CLUSTER = """
insert into kafka (cluster) values ($1) on conflict (one_row) do update set cluster = excluded.cluster
"""
_POSITIONS = "select topic, partition, next_offset, epoch, last_ms from progress"
# The epoch is 2 at least: 1 is that of a partition that was never taken.
_RESTART = """
insert into progress as p (topic, partition, next_offset, epoch)
select topic, partition, begin, 2
from unnest($1::text[], $2::int[], $3::bigint[]) as n(topic, partition, begin)
order by topic, partition
on conflict (topic, partition) do update
set next_offset = excluded.next_offset, last_ms = null, epoch = p.epoch + 1
"""
_STORED_CLUSTER = "select cluster from kafka"

# Every claim must match its row, or nothing may be written: `fence` fails the whole statement.
ADVANCE = """
with moved as (
    update progress p
    set next_offset = n.next_offset, last_ms = coalesce(n.last_ms, p.last_ms)
    from unnest($1::text[], $2::int[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[])
        as n(topic, partition, expected, next_offset, epoch, last_ms)
    where p.topic = n.topic and p.partition = n.partition
        and p.next_offset = n.expected and p.epoch = n.epoch
    returning 1
), stored as (
    insert into outbox (partition, records)
    select partition, records from unnest($7::int[], $8::bytea[]) as o(partition, records)
    returning id
)
select (select array_agg(id) from stored) as ids,
    fence((select count(*) from moved) = cardinality($1::text[])) as held
"""
ADVANCE_PARAMETERS = 8

_ACKNOWLEDGE = """
update progress p set next_offset = n.next_offset, last_ms = n.last_ms
from unnest($1::text[], $2::int[], $3::bigint[], $4::bigint[])
    as n(topic, partition, next_offset, last_ms)
where p.topic = n.topic and p.partition = n.partition and p.next_offset < n.next_offset
"""


async def take(
    db: Connection, earliest: Mapping[TopicPartition, int]
) -> dict[TopicPartition, Position]:
    """Take these partitions: from now on every older epoch is fenced off.

    A partition seen for the first time starts at its `earliest` offset.
    """
    rows = await db.fetch(
        _TAKE,
        [tp.topic for tp in earliest],
        [tp.partition for tp in earliest],
        list(earliest.values()),
    )
    return {
        TopicPartition(r["topic"], r["partition"]): Position(
            r["next_offset"], r["epoch"], r["last_ms"]
        )
        for r in rows
    }


async def positions(db: Connection) -> dict[TopicPartition, Position]:
    """The stored offsets of every partition that was ever taken."""
    return {
        TopicPartition(r["topic"], r["partition"]): Position(
            r["next_offset"], r["epoch"], r["last_ms"]
        )
        for r in await db.fetch(_POSITIONS)
    }


async def restart(db: Connection, begins: Mapping[TopicPartition, int]) -> None:
    """Set the stored offsets of these partitions, and fence off the workers that have them."""
    await db.execute(
        _RESTART,
        [tp.topic for tp in begins],
        [tp.partition for tp in begins],
        list(begins.values()),
    )


async def stored_cluster(db: Connection) -> str | None:
    """The id of the Kafka cluster that the stored offsets belong to; None before the first worker."""
    cluster: str | None = await db.fetchval(_STORED_CLUSTER)
    return cluster


async def set_cluster(db: Connection, cluster: str) -> None:
    """Set the cluster that the stored offsets belong to."""
    await db.execute(_SET_CLUSTER, cluster)


async def store_first_cluster(db: Connection, cluster: str) -> str:
    """The id of the Kafka cluster that the stored offsets belong to: this one, when it is the first."""
    await db.execute(_STORE_FIRST_CLUSTER, cluster)
    stored: str = await db.fetchval(_STORED_CLUSTER)
    return stored


async def advance(
    db: Connection, claims: Sequence[Claim], outputs: Mapping[int, Sequence[Outgoing]]
) -> list[int]:
    """Move the offsets by compare-and-set and store the outputs; the ids of their outbox rows.

    Raises:
        Fenced: a claim no longer holds; the transaction must be rolled back.
    """
    return await advance_with(db, ADVANCE, claims, outputs)


async def advance_with(
    db: Connection,
    sql: str,
    claims: Sequence[Claim],
    outputs: Mapping[int, Sequence[Outgoing]],
    *others: Any,
) -> list[int]:
    """The same by a statement that was joined to `ADVANCE`; `others` are the arguments of its other parts."""
    try:
        row = await db.fetchrow(
            sql,
            [c.topic for c in claims],
            [c.partition for c in claims],
            [c.expected for c in claims],
            [c.next_offset for c in claims],
            [c.epoch for c in claims],
            [c.last_ms for c in claims],
            list(outputs),
            [pack(records) for records in outputs.values()],
            *others,
        )
    except asyncpg.PostgresError as error:
        if error.sqlstate != FENCED:
            raise
        raise Fenced from error
    assert row is not None, "it selects without a table, so it gives a row"
    return row["ids"] or []


def acknowledge(writes: Writes, furthest: Sequence[Acknowledged]) -> None:
    """Move the offsets of an output topic to what Kafka acknowledged, never back."""
    writes.execute(
        "progress",
        _ACKNOWLEDGE,
        [a.topic for a in furthest],
        [a.partition for a in furthest],
        [a.next_offset for a in furthest],
        [a.last_ms for a in furthest],
    )
