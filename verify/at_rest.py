"""Wait until a live system is at rest: no lag, no outbox row, no timer overdue, no request in progress."""

import asyncio
import time
from typing import Any

import asyncpg
from aiokafka import TopicPartition

from runtime.kafka.clients import open_consumer
from schemas.topic_lookup import find_topic
from schemas.topics import SERVICES
from verify.gather import connect, our_partitions

POLL_INTERVAL_S = 0.3

_PROGRESS = "select topic, partition, next_offset from progress"
# A timer that is due has not been moved to the outbox yet.
_UNFINISHED = """
select (select count(*) from outbox) as outbox,
    (select count(*) from timers where due_at <= now()) as due
"""

# An order that was sent again while it was decided: the request is in progress until Kafka has acknowledged the
# second record, or has not in time; also when its client has given up.
_IN_PROGRESS = """
select count(*) from intake where exists (
    select from order_ids where order_ids.order_id = intake.order_id
)
"""


async def wait_until_at_rest(kafka: str, postgres: str, within_s: float) -> list[str]:
    """Wait at most `within_s` seconds; return what is unfinished then, empty when the system is at rest.

    Raises:
        KafkaError, OSError, TimeoutError, asyncpg.PostgresError: a server cannot be reached or refuses.
    """
    deadline_s = time.monotonic() + within_s
    partitions = await our_partitions(kafka)
    databases: dict[str, asyncpg.Connection[Any]] = {}
    try:
        for service in SERVICES:
            databases[service] = await connect(postgres, service)
        async with open_consumer(kafka) as consumer:
            while True:
                # End offsets are read after the databases: a service that was idle and has no new input
                # since is still idle.
                left, progress = await _poll(databases)
                ends = await consumer.end_offsets(partitions)
                left += _lags(progress, ends)
                if not left or time.monotonic() > deadline_s:
                    return left
                await asyncio.sleep(POLL_INTERVAL_S)
    finally:
        for db in databases.values():
            await db.close()


Progress = dict[str, dict[TopicPartition, int]]


async def _poll(databases: "dict[str, asyncpg.Connection[Any]]") -> tuple[list[str], Progress]:
    left: list[str] = []
    progress: Progress = {}
    for service, db in databases.items():
        rows = await db.fetch(_PROGRESS)
        # Progress on a service's own output topic, kept for recovery, is not lag.
        progress[service] = {
            TopicPartition(r["topic"], r["partition"]): r["next_offset"]
            for r in rows
            if (topic := find_topic(r["topic"])) and service in topic.readers
        }
        (row,) = await db.fetch(_UNFINISHED)
        if row["outbox"]:
            left.append(f"{service}: {row['outbox']} rows in the outbox")
        if row["due"]:
            left.append(f"{service}: {row['due']} timers overdue")
        if service == "ordering" and (orders := await db.fetchval(_IN_PROGRESS)):
            left.append(f"ordering: {orders} decided orders in the intake")
        if not rows:
            left.append(f"{service}: it has never been assigned a partition")
    return left, progress


def _lags(progress: Progress, ends: dict[TopicPartition, int]) -> list[str]:
    lags = {
        service: sum(max(0, ends.get(tp, 0) - offset) for tp, offset in offsets.items())
        for service, offsets in progress.items()
    }
    return [f"{service}: {lag} records behind" for service, lag in lags.items() if lag]
