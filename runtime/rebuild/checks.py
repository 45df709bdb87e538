"""Checks before a rebuild, and before its tables are switched."""

from collections.abc import Iterable, Mapping

from aiokafka import AIOKafkaConsumer, TopicPartition

from runtime.consistency import offsets
from runtime.errors import CannotRun
from runtime.kafka.admin import cluster_id
from runtime.messages.positions import Position
from runtime.rebuild.declaration import Difference, Rebuild
from runtime.rebuild.reading import OffsetRange
from schemas.topics import Topic


class DataLoss(CannotRun):
    """The running tables have data that the topics no longer have."""


async def require_same_cluster(
    kafka: str,
    stored_cluster: str | None,
    client: AIOKafkaConsumer,
    positions: Mapping[TopicPartition, Position],
    topics: Iterable[Topic],
) -> None:
    """Run a worker's cluster check: the service's positions and `stored_cluster` against Kafka.

    Raises:
        CannotRun: the service has never been assigned a partition.
        ClusterMismatch: the database belongs to another Kafka cluster.
    """
    if not positions or stored_cluster is None:
        raise CannotRun(
            "the service has never been assigned a partition: there is nothing to rebuild"
        )
    offsets.refuse_other_cluster(stored_cluster, await cluster_id(kafka))
    client.assign(list(positions))
    compacted = {topic.name for topic in topics if topic.compacted}
    offsets.refuse_misfits(await offsets.check_offsets(client, positions, compacted))


def require_complete_topics(
    topics: Iterable[Topic], spans: Mapping[TopicPartition, OffsetRange]
) -> None:
    """Raise DataLoss when records of a topic that is not compacted have expired."""
    uncompacted = {topic.name for topic in topics if not topic.compacted}
    for tp, span in spans.items():
        if tp.topic in uncompacted and span.first > 0:
            raise DataLoss(
                f"{tp.topic}-{tp.partition} begins at {span.first}: older records have expired, and their"
                " rows would be lost; --accept-loss rebuilds without them"
            )


def require_no_loss(rebuild: Rebuild[object], differences: Iterable[Difference]) -> None:
    """Raise DataLoss when the new tables lack rows whose records the topics no longer have."""
    for difference in differences:
        if difference.table in rebuild.losses and difference.gone:
            raise DataLoss(
                f"{difference.gone} rows of {difference.table} are in the running table and follow from no"
                " record on the topics: they would be lost; --accept-loss drops them"
            )


def require_unchanged(rebuild: Rebuild[object], differences: Iterable[Difference]) -> None:
    """Raise CannotRun when rows of an immutable table would change or go."""
    for difference in differences:
        if difference.table in rebuild.immutable and (difference.changed or difference.gone):
            raise CannotRun(
                f"{difference.changed} rows of {difference.table} would change and {difference.gone} go, but"
                " this table must not change: nothing is switched"
            )
