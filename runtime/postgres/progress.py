"""The SQL of progress: stored offsets, their epochs, and the Kafka cluster that they belong to."""

from collections.abc import Iterable, Mapping, Sequence
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

_RAISE_EPOCHS = """
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
# Epoch 1 marks a first assignment. A reset is not one, so it starts at 2.
_RESET = """
insert into progress as p (topic, partition, next_offset, epoch)
select topic, partition, begin, 2
from unnest($1::text[], $2::int[], $3::bigint[]) as n(topic, partition, begin)
order by topic, partition
on conflict (topic, partition) do update
set next_offset = excluded.next_offset, last_ms = null, epoch = p.epoch + 1
"""
_STORED_CLUSTER = "select cluster from kafka"

# If a claim does not match its row, `fence` fails the whole statement, so nothing is written.
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


async def raise_epochs(
    db: Connection, earliest: Mapping[TopicPartition, int]
) -> dict[TopicPartition, Position]:
    """Raise the epochs of these partitions, which fences all earlier workers; return the new positions.

    A partition that is assigned for the first time starts at its `earliest` offset.
    """
    rows = await db.fetch(
        _RAISE_EPOCHS,
        [tp.topic for tp in earliest],
        [tp.partition for tp in earliest],
        list(earliest.values()),
    )
    return _positions(rows)


async def positions(db: Connection) -> dict[TopicPartition, Position]:
    """Read the positions of all partitions that were ever assigned."""
    return _positions(await db.fetch(_POSITIONS))


def _positions(rows: Iterable[asyncpg.Record]) -> dict[TopicPartition, Position]:
    return {
        TopicPartition(r["topic"], r["partition"]): Position(
            r["next_offset"], r["epoch"], r["last_ms"]
        )
        for r in rows
    }


async def reset(db: Connection, offsets: Mapping[TopicPartition, int]) -> None:
    """Set the stored offsets of these partitions, and fence the workers that have them."""
    await db.execute(
        _RESET,
        [tp.topic for tp in offsets],
        [tp.partition for tp in offsets],
        list(offsets.values()),
    )


async def stored_cluster(db: Connection) -> str | None:
    """Read the id of the cluster that the stored offsets belong to; None before the first assignment."""
    cluster: str | None = await db.fetchval(_STORED_CLUSTER)
    return cluster


async def set_cluster(db: Connection, cluster: str) -> None:
    """Store the id of the cluster that the stored offsets belong to."""
    await db.execute(_SET_CLUSTER, cluster)


async def store_first_cluster(db: Connection, cluster: str) -> str:
    """Store this cluster id unless there is one already; return the stored id."""
    await db.execute(_STORE_FIRST_CLUSTER, cluster)
    stored: str = await db.fetchval(_STORED_CLUSTER)
    return stored


async def advance(
    db: Connection, claims: Sequence[Claim], outputs: Mapping[int, Sequence[Outgoing]]
) -> list[int]:
    """Advance the stored offsets by compare-and-set, and add the outputs to the outbox; return the row ids.

    Raises:
        Fenced: a claim does not hold. The transaction must be rolled back.
    """
    return await advance_with(db, ADVANCE, claims, outputs)


async def advance_with(
    db: Connection,
    sql: str,
    claims: Sequence[Claim],
    outputs: Mapping[int, Sequence[Outgoing]],
    *others: Any,
) -> list[int]:
    """Like `advance`, with an `sql` that extends `ADVANCE`; `others` are its further arguments."""
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
    assert row is not None, "a select without a table returns one row"
    return row["ids"] or []


def save_acknowledged(writes: Writes, furthest: Sequence[Acknowledged]) -> None:
    """Advance the stored offsets of the output topic to the acknowledged ones; never move them back."""
    writes.execute(
        "progress",
        _ACKNOWLEDGE,
        [a.topic for a in furthest],
        [a.partition for a in furthest],
        [a.next_offset for a in furthest],
        [a.last_ms for a in furthest],
    )
