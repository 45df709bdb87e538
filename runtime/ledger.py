"""The SQL of progress with its fencing epoch, and of the outbox; that of timers is in `timers.py`.

A batch is saved by `save`: as one statement when what it writes allows, in a transaction otherwise.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
from aiokafka import TopicPartition

from runtime.connection import Connection
from runtime.packing import pack, unpack
from runtime.records import Outgoing
from runtime.writes import Statement, Writes, joined


class Fenced(Exception):
    """Another worker has taken one of these partitions, or this one's progress is not what it thought."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One partition's step from `expected` to `next_offset`, valid only while `epoch` is the newest.

    `last_ms` is the append time of the record before `next_offset`, None where the step leads nowhere.
    """

    topic: str
    partition: int
    expected: int
    next_offset: int
    epoch: int
    last_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Position:
    """Where a worker stands in a partition that it has taken.

    `last_ms` is when Kafka took the record before `next_offset` (ms since 1970), None when not known.
    """

    next_offset: int
    epoch: int
    last_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """An outbox row: what it holds, and the partition of the input that caused it."""

    id: int
    partition: int
    records: tuple[Outgoing, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """How far Kafka has acknowledged what was published to a partition, and when it took the last record."""

    topic: str
    partition: int
    next_offset: int
    last_ms: int


@dataclass(frozen=True, slots=True)
class Published:
    """Outbox rows that Kafka has, and what it said of the service's own topic."""

    ids: Sequence[int]
    told: Sequence[Told]


_TAKE = """
insert into progress as p (topic, partition, next_offset, epoch)
select topic, partition, earliest, 1
from unnest($1::text[], $2::int[], $3::bigint[]) as n(topic, partition, earliest)
order by topic, partition
on conflict (topic, partition) do update set epoch = p.epoch + 1
returning topic, partition, next_offset, epoch, last_ms
"""

_CLUSTER = "insert into kafka (cluster) values ($1) on conflict (one_row) do nothing"
_BELONG = """
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
_KNOWN_CLUSTER = "select cluster from kafka"

# Every claim must match its row, or nothing may be written. Division by zero undoes the statement: SQL has no
# plainer way to fail from within.
_ADVANCE = """
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
    1 / ((select count(*) from moved) = cardinality($1::text[]))::int as held
"""
_ADVANCE_PARAMETERS = 8

_LEFTOVERS = """
select id, partition, records from outbox where partition = any($1::int[]) order by id limit $2
"""
_FORGET = "delete from outbox where id = any($1::bigint[])"
_KNOW = """
update progress p set next_offset = n.next_offset, last_ms = n.last_ms
from unnest($1::text[], $2::int[], $3::bigint[], $4::bigint[])
    as n(topic, partition, next_offset, last_ms)
where p.topic = n.topic and p.partition = n.partition and p.next_offset < n.next_offset
"""
# One statement is one transaction and one round trip, and the setting holds to its end.
# A crash may lose it: the loop sees the old rows (`has_stale`) and publishes again.
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
    """Where the service stands in every partition that was ever taken."""
    return {
        TopicPartition(r["topic"], r["partition"]): Position(
            r["next_offset"], r["epoch"], r["last_ms"]
        )
        for r in await db.fetch(_POSITIONS)
    }


async def restart(db: Connection, begins: Mapping[TopicPartition, int]) -> None:
    """Stand at these offsets from now on, whatever was before; workers that are running lose these."""
    await db.execute(
        _RESTART,
        [tp.topic for tp in begins],
        [tp.partition for tp in begins],
        list(begins.values()),
    )


async def known_cluster(db: Connection) -> str | None:
    """The id of the Kafka cluster that this database belongs to; None as long as no worker saw one."""
    known: str | None = await db.fetchval(_KNOWN_CLUSTER)
    return known


async def belong(db: Connection, found: str) -> None:
    """Belong to this cluster from now on."""
    await db.execute(_BELONG, found)


async def cluster(db: Connection, found: str) -> str:
    """The id of the Kafka cluster that this database belongs to: `found`, when it is the first."""
    await db.execute(_CLUSTER, found)
    known: str = await db.fetchval(_KNOWN_CLUSTER)
    return known


async def advance(
    db: Connection, claims: Sequence[Claim], outbox: Mapping[int, Sequence[Outgoing]]
) -> list[int]:
    """Move the progress by compare-and-set and store the outbox; the ids of the new outbox rows.

    Raises:
        Fenced: a claim no longer holds; the transaction must be rolled back.
    """
    return await _advance(db, _ADVANCE, claims, outbox, ())


async def save(
    db: Connection,
    claims: Sequence[Claim],
    outbox: Mapping[int, Sequence[Outgoing]],
    writes: Writes,
    before_commit: Callable[[], None] = lambda: None,
) -> list[int]:
    """Advance, and write the rest with it, all or nothing; the ids of the new outbox rows.

    Raises:
        Fenced: a claim no longer holds. Nothing was written.
        Outdated: what was loaded has changed since. Nothing was written.
    """
    with writes.outdated():
        together = writes.together()
        if together is not None:
            sql, arguments = _as_one(_ADVANCE, _ADVANCE_PARAMETERS, together)
            before_commit()
            return await _advance(db, sql, claims, outbox, arguments)
        async with db.transaction():
            ids = await advance(db, claims, outbox)
            await writes.send(db)
            before_commit()
            return ids


async def _advance(
    db: Connection,
    sql: str,
    claims: Sequence[Claim],
    outbox: Mapping[int, Sequence[Outgoing]],
    others: Sequence[Any],
) -> list[int]:
    try:
        row = await db.fetchrow(
            sql,
            [c.topic for c in claims],
            [c.partition for c in claims],
            [c.expected for c in claims],
            [c.next_offset for c in claims],
            [c.epoch for c in claims],
            [c.last_ms for c in claims],
            list(outbox),
            [pack(records) for records in outbox.values()],
            *others,
        )
    except asyncpg.DivisionByZeroError as error:
        raise Fenced from error
    assert row is not None
    return row["ids"] or []


async def leftovers(db: Connection, partitions: Iterable[int], at_most: int) -> list[Stored]:
    """What the outbox still holds for these partitions, the oldest rows first."""
    rows = await db.fetch(_LEFTOVERS, list(partitions), at_most)
    return [Stored(r["id"], r["partition"], unpack(r["records"])) for r in rows]


async def drop(db: Connection, published: Sequence[Published]) -> None:
    """Forget outbox rows that are published, and note how far the service's own topic is known by that."""
    writes = Writes()
    drop_with(writes, published)
    together = writes.together()
    assert together is not None, "of two tables, and nothing comes after the other"
    sql, arguments = _as_one(_ASYNCHRONOUS, 0, together)
    await db.execute(sql, *arguments)


def drop_with(writes: Writes, published: Sequence[Published]) -> None:
    """The same in the trip of a batch that is saved, which must not claim the service's own topic."""
    writes.execute("outbox", _FORGET, [id for p in published for id in p.ids])
    if told := _newest([t for p in published for t in p.told]):
        writes.execute(
            "progress",
            _KNOW,
            [t.topic for t in told],
            [t.partition for t in told],
            [t.next_offset for t in told],
            [t.last_ms for t in told],
        )


def _as_one(base: str, parameters: int, statements: Sequence[Statement]) -> tuple[str, list[Any]]:
    sql = joined(base, parameters, *[s.sql for s in statements])
    return sql, [argument for s in statements for argument in s.arguments]


def about(told: Iterable[Told], topic: str | None) -> list[Told]:
    """What Kafka said of this topic among the acknowledgements."""
    return [t for t in told if t.topic == topic]


def _newest(told: Iterable[Told]) -> list[Told]:
    known = {(t.topic, t.partition): t for t in sorted(told, key=lambda t: t.next_offset)}
    return [known[where] for where in sorted(known)]


async def has_stale(db: Connection, partitions: Iterable[int], age_s: float) -> bool:
    """Whether the outbox holds anything for these partitions that is older than so many seconds."""
    found: bool = await db.fetchval(_STALE, list(partitions), age_s)
    return found


async def outbox_age(db: Connection) -> float:
    """Age in seconds of the oldest outbox row; 0 when it is empty."""
    return await db.fetchval(_OLDEST) or 0.0
