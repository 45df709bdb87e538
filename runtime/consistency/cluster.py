"""Whether a service's database and this Kafka belong together, in every partition that the service reads.

Asked before the service takes anything in, as whoever has its partitions need not be this process; and by
`herhaal progress`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from runtime.consistency import offsets
from runtime.consistency.offsets import Standing
from runtime.kafka.admin import cluster_id, partitions_of, require_topics
from runtime.kafka.clients import reader
from runtime.messages.positions import Position
from runtime.postgres import progress
from runtime.postgres.connection import Connection
from schemas.topics import Topic


@dataclass(frozen=True)
class Reads:
    """The topics that a service reads, and its own, which it reads back after a restore."""

    inputs: Sequence[Topic]
    output_topic: Topic | None = None

    @property
    def all(self) -> tuple[Topic, ...]:
        """Every topic that must be there."""
        return (*self.inputs, *([self.output_topic] if self.output_topic else []))

    @property
    def compacted(self) -> set[str]:
        """The names of the topics that keep only each key's newest record."""
        return {topic.name for topic in self.inputs if topic.compacted}


@dataclass(frozen=True)
class Belonging:
    """`known` is the id of the cluster that the database belongs to, None if new; `cluster` is this one's."""

    known: str | None
    cluster: str
    standings: tuple[Standing, ...]

    @property
    def other_cluster(self) -> bool:
        """Whether this is another Kafka."""
        return self.known is not None and self.known != self.cluster

    @property
    def misfits(self) -> list[Standing]:
        """The partitions in which the service does not stand where it did; all of them on another Kafka."""
        return [s for s in self.standings if s.misfit is not None or self.other_cluster]


async def look(kafka: str, db: Connection, reads: Reads) -> Belonging:
    """Hold the database of a service that has started against Kafka.

    Raises:
        KafkaError, OSError, TimeoutError, asyncpg.PostgresError: a server is away, or refuses.
    """
    known = await progress.stored_cluster(db)
    stored = await progress.positions(db)
    told = partitions_of([reads.output_topic] if reads.output_topic else [])
    positions = {tp: stored.get(tp, Position(0, 1)) for tp in (*partitions_of(reads.inputs), *told)}
    async with reader(kafka, positions, request_timeout_ms=10_000) as client:
        standings = await offsets.look(
            client,
            positions,
            reads.compacted,
            new=positions.keys() - stored.keys(),
            may_expire=frozenset(told),
        )
    return Belonging(known, await cluster_id(kafka), tuple(standings))


async def require_own_kafka(kafka: str, pool: "asyncpg.Pool[Any]", reads: Reads) -> None:
    """Check that nothing is in the way of running on this Kafka.

    Raises:
        OtherKafka: it is not the one that the database belongs to, or not all of it.
        TopicsMissing: topics are not all there yet.
        KafkaError, OSError, TimeoutError, asyncpg.PostgresError: to be tried again.
    """
    await require_topics(kafka, reads.all)
    async with pool.acquire() as db:
        found = await look(kafka, db, reads)
    if found.known is not None:
        offsets.refuse_other_cluster(found.known, found.cluster)
    offsets.refuse_misfits(found.standings)
