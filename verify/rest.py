"""Whether a live system is at rest: every input handled, every outbox empty, no due time passed."""

import asyncio
import time
from typing import Any

import asyncpg
from aiokafka import TopicPartition

from runtime.kafka.clients import reader
from schemas.topics import ALL, SERVICES
from verify.gather import connect, our_partitions

LOOK_EVERY_S = 0.3

_READERS = {topic.name: topic.readers for topic in ALL}

_PROGRESS = "select topic, partition, next_offset from progress"
# A due time that has just passed is on its way to the outbox.
_LEFT = """
select (select count(*) from outbox) as outbox,
    (select count(*) from timers where due_at <= now()) as due
"""


async def wait_until_at_rest(kafka: str, postgres: str, within_s: float) -> list[str]:
    """Wait for it; what is still going on after `within_s` seconds, nothing when it is at rest.

    Raises:
        KafkaError, OSError, TimeoutError, asyncpg.PostgresError: a server is away, or refuses.
    """
    deadline_s = time.monotonic() + within_s
    partitions = await our_partitions(kafka)
    databases: dict[str, asyncpg.Connection[Any]] = {}
    try:
        for service in SERVICES:
            databases[service] = await connect(postgres, service)
        async with reader(kafka) as consumer:
            while True:
                # The ends come after the databases: what was at rest then, and had no input since, still is.
                left, progress = await _look(databases)
                ends = await consumer.end_offsets(partitions)
                left += _lags(progress, ends)
                if not left or time.monotonic() > deadline_s:
                    return left
                await asyncio.sleep(LOOK_EVERY_S)
    finally:
        for db in databases.values():
            await db.close()


Progress = dict[str, dict[TopicPartition, int]]


async def _look(databases: "dict[str, asyncpg.Connection[Any]]") -> tuple[list[str], Progress]:
    left: list[str] = []
    progress: Progress = {}
    for service, db in databases.items():
        rows = await db.fetch(_PROGRESS)
        # How far a service knows its own topic is no lag: others may write there as well.
        progress[service] = {
            TopicPartition(r["topic"], r["partition"]): r["next_offset"]
            for r in rows
            if service in _READERS[r["topic"]]
        }
        (row,) = await db.fetch(_LEFT)
        if row["outbox"]:
            left.append(f"{service}: {row['outbox']} rows in the outbox")
        if row["due"]:
            left.append(f"{service}: {row['due']} due times not yet fired")
        if not rows:
            left.append(f"{service}: it has never taken its partitions")
    return left, progress


def _lags(progress: Progress, ends: dict[TopicPartition, int]) -> list[str]:
    lags = {
        service: sum(max(0, ends.get(tp, 0) - stands) for tp, stands in stood.items())
        for service, stood in progress.items()
    }
    return [f"{service}: {lag} records behind" for service, lag in lags.items() if lag]
