"""Checks that a service's database and this Kafka cluster belong together, in all partitions of its topics.

The check runs before the service takes requests, on partitions of other workers as well, and in
`herhaal progress`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from runtime.consistency import offsets
from runtime.consistency.offsets import PartitionCheck
from runtime.kafka.admin import cluster_id, partitions_of, require_topics
from runtime.kafka.clients import open_consumer
from runtime.messages.positions import Position
from runtime.postgres import progress
from runtime.postgres.connection import Connection
from schemas.topics import Topic


@dataclass(frozen=True)
class ServiceTopics:
    """A service's input topics, and its output topic, from which it recovers after a restore."""

    inputs: Sequence[Topic]
    output_topic: Topic | None = None

    @property
    def all(self) -> tuple[Topic, ...]:
        """Inputs and output topic."""
        return (*self.inputs, *([self.output_topic] if self.output_topic else []))

    @property
    def compacted(self) -> set[str]:
        """The names of the compacted input topics."""
        return {topic.name for topic in self.inputs if topic.compacted}


@dataclass(frozen=True)
class ClusterCheck:
    """The cluster id in the database (None if no worker has run yet), this cluster's id, all partitions."""

    stored_cluster: str | None
    cluster: str
    partitions: tuple[PartitionCheck, ...]

    @property
    def other_cluster(self) -> bool:
        """Whether the stored offsets belong to another cluster."""
        return self.stored_cluster is not None and self.stored_cluster != self.cluster

    @property
    def misfits(self) -> list[PartitionCheck]:
        """The partitions that do not fit the stored offsets; all of them on another cluster."""
        return [p for p in self.partitions if p.misfit is not None or self.other_cluster]


async def check_cluster(kafka: str, db: Connection, topics: ServiceTopics) -> ClusterCheck:
    """Compare the cluster id and offsets in a migrated database with this Kafka cluster.

    Raises:
        KafkaError, OSError, TimeoutError, asyncpg.PostgresError: a server is away, or refuses.
    """
    stored_cluster = await progress.stored_cluster(db)
    stored = await progress.positions(db)
    outputs = partitions_of([topics.output_topic] if topics.output_topic else [])
    positions = {
        tp: stored.get(tp, Position(0, 1)) for tp in (*partitions_of(topics.inputs), *outputs)
    }
    async with open_consumer(kafka, positions, request_timeout_ms=10_000) as consumer:
        partitions = await offsets.check_offsets(
            consumer,
            positions,
            topics.compacted,
            new=positions.keys() - stored.keys(),
            may_expire=frozenset(outputs),
        )
    return ClusterCheck(stored_cluster, await cluster_id(kafka), tuple(partitions))


async def require_matching_cluster(
    kafka: str, pool: "asyncpg.Pool[Any]", topics: ServiceTopics
) -> None:
    """Check that the service can run on this Kafka cluster.

    Raises:
        ClusterMismatch: the stored offsets belong to another cluster, or a partition does not fit.
        TopicsMissing: some topics do not exist yet.
        TopicMismatch: a topic has another number of partitions.
        KafkaError, OSError, TimeoutError, asyncpg.PostgresError: to be tried again.
    """
    await require_topics(kafka, topics.all)
    async with pool.acquire() as db:
        check = await check_cluster(kafka, db, topics)
    if check.stored_cluster is not None:
        offsets.refuse_other_cluster(check.stored_cluster, check.cluster)
    offsets.refuse_misfits(check.partitions)
