"""Take a dump of a live system, with consumers outside a group and read-only database connections."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition

from runtime.dsn import database_dsn
from runtime.kafka import clients
from runtime.kafka.group_members import Member, duplicate_processes, members
from runtime.postgres.sessions import OPERATOR_SESSION
from schemas import topics
from schemas.topic_lookup import find_topic
from verify.dump import Dump, Loop, Medication, Metrics, Notification, Ordering, row_types
from verify.garbage_collection import gc_disabled
from verify.rows import KafkaRecord, PartitionRange

_FETCH_BYTES = 16 * 1024 * 1024

_MEMBER_POLLS, _MEMBER_POLL_INTERVAL_S = 15, 1.0
"""Together longer than a consumer's session time-out of 10 s."""

_SESSION = OPERATOR_SESSION | {"default_transaction_read_only": "on", "application_name": "verify"}

_LOOP = {
    "progress": "select topic, partition, next_offset, epoch from progress order by topic, partition",
    "outbox": "select id, partition, records, created_at from outbox order by id",
    "audit": "select writer, seq, action, patient, thing from audit order by writer, seq",
    "timers": "select id, partition, due_at, record from timers order by id",
}
_TABLES: Mapping[type[Loop], Mapping[str, str]] = {
    Ordering: {
        "orders": """
            select order_id, patient, practice, state, placed_at, digest, body, journal
            from orders order by order_id
        """,
        "order_ids": "select order_id, placed_at from order_ids order by order_id",
        "order_lines": """
            select order_id, line, practice, pharmacy, patient, prk, outcome, state, due, placed_at,
                signal, reviewer
            from order_lines order by order_id, line
        """,
        "intake": "select order_id, patient, digest, received_at from intake order by order_id",
        "overviews": """
            select patient, practice, version, medications from overviews order by patient
        """,
        "histories": "select patient, lines from histories order by patient",
    },
    Medication: {
        "overviews": """
            select patient, practice, version, seen_version, changed_at,
                change::text as change, medications::text as medications, flaws::text as flaws
            from overviews order by patient
        """,
        "changes": """
            select patient, version, change_id, kind, by_role, by_id, reason, at,
                practice_before, practice, before::text as before, after::text as after,
                flaws::text as flaws, through
            from overview_changes order by patient, version
        """,
        "applied": """
            select patient, change_id, digest, applied_at
            from applied_changes order by patient, change_id
        """,
    },
    Notification: {
        "orders": """
            select order_id, seq, convert_from(body, 'UTF8') as body from orders order by order_id
        """,
        "messages": """
            select id, message_id, patient, order_id, template, template_version, at,
                convert_from(facts, 'UTF8') as facts
            from messages order by id
        """,
    },
    Metrics: {
        "counted": """
            select order_id, seq, practice, day, channel, outcomes::text as outcomes
            from counted_orders order by order_id
        """,
        "lines": "select * from daily_lines order by practice, day, channel, outcome",
        "orders": "select * from daily_orders order by practice, day, channel",
    },
}


async def take_dump(kafka: str, postgres: str) -> Dump:
    """Dump all topics, databases and group members; `postgres` is an administrator's DSN.

    Topics are read up to their current end offsets, then each database in one snapshot.

    Raises:
        KafkaError, OSError, TimeoutError, asyncpg.PostgresError: a server cannot be reached or refuses.
    """
    with gc_disabled():
        ranges, records = await _records(kafka, await our_partitions(kafka))
    ordering, medication, notification, metrics = await asyncio.gather(
        _database(postgres, "ordering", Ordering),
        _database(postgres, "medication", Medication),
        _database(postgres, "notification", Notification),
        _database(postgres, "metrics", Metrics),
    )
    return Dump(
        await _now(postgres),
        ranges,
        records,
        ordering,
        medication,
        notification,
        metrics,
        await _members(kafka),
    )


async def our_partitions(kafka: str) -> list[TopicPartition]:
    """List the existing partitions of our topics, also those of pharmacies and systems."""
    async with clients.admin(kafka) as client:
        ours = sorted(name for name in await client.list_topics() if find_topic(name))
        described = await client.describe_topics(ours) if ours else []
    return sorted(
        TopicPartition(topic["topic"], partition["partition"])
        for topic in described
        for partition in topic["partitions"]
    )


async def _members(kafka: str) -> tuple[Member, ...]:
    """Read the members of the groups; again while a process is a member twice, for longer than a session."""
    async with clients.admin(kafka) as client:
        for _ in range(_MEMBER_POLLS):
            current = await members(client, topics.SERVICES)
            if not duplicate_processes(current):
                break
            # A client that retried a slow join request is a member twice until the first session times out.
            await asyncio.sleep(_MEMBER_POLL_INTERVAL_S)
        return current


async def connect(postgres: str, service: str) -> "asyncpg.Connection[Any]":
    """Open a read-only connection to a service's database."""
    return await asyncpg.connect(
        database_dsn(postgres, service),
        timeout=10,
        server_settings=_SESSION,
    )


async def _records(
    kafka: str, partitions: Sequence[TopicPartition]
) -> tuple[tuple[PartitionRange, ...], tuple[KafkaRecord, ...]]:
    if not partitions:
        return (), ()
    async with clients.open_consumer(
        kafka,
        partitions,
        partition_bytes=_FETCH_BYTES,
        fetch_bytes=4 * _FETCH_BYTES,
    ) as reader:
        begins = await reader.beginning_offsets(partitions)
        ends = await reader.end_offsets(partitions)
        ranges = [PartitionRange(tp.topic, tp.partition, begins[tp], ends[tp]) for tp in partitions]
        return tuple(ranges), tuple(await _read(reader, begins, ends))


async def _read(
    reader: AIOKafkaConsumer,
    begins: Mapping[TopicPartition, int],
    ends: Mapping[TopicPartition, int],
) -> list[KafkaRecord]:
    left = {tp for tp, end in ends.items() if begins[tp] < end}
    for tp in left:
        reader.seek(tp, begins[tp])
    records: list[KafkaRecord] = []
    while left:
        for tp, batch in (await reader.getmany(*left, timeout_ms=500)).items():
            records.extend(_record(record) for record in batch if record.offset < ends[tp])
        # By position, as the last records before the end may be compacted away.
        left = {tp for tp in left if await reader.position(tp) < ends[tp]}
    return sorted(records, key=lambda record: (record.topic, record.partition, record.offset))


def _record(record: Any) -> KafkaRecord:
    return KafkaRecord(
        record.topic,
        record.partition,
        record.offset,
        record.timestamp,
        record.key,
        record.value,
        [(name, None if value is None else bytes(value)) for name, value in record.headers],
    )


async def _database(postgres: str, service: str, kind: Any) -> Any:
    queries = {**_LOOP, **_TABLES[kind]}
    types = row_types(kind)
    db = await connect(postgres, service)
    try:
        async with db.transaction(isolation="repeatable_read", readonly=True):
            return kind(
                **{
                    table: tuple(types[table](**row) for row in await db.fetch(query))
                    for table, query in queries.items()
                }
            )
    finally:
        await db.close()


async def _now(postgres: str) -> datetime:
    db = await asyncpg.connect(postgres, timeout=10, server_settings=_SESSION)
    try:
        now: datetime = await db.fetchval("select now()")
        return now
    finally:
        await db.close()
