"""When a rebuild may not be done, or its result not be switched in."""

from collections.abc import Iterable, Mapping

from aiokafka import AIOKafkaConsumer, TopicPartition

from runtime.consistency import offsets
from runtime.errors import CannotRun
from runtime.kafka.admin import cluster_id
from runtime.messages.positions import Position
from runtime.rebuild.declared import Difference, Rebuild
from runtime.rebuild.reading import Stretch
from schemas.topics import Topic


class Loss(CannotRun):
    """The topics no longer tell of everything that the running tables hold."""


async def require_same_kafka(
    kafka: str,
    known: str | None,
    client: AIOKafkaConsumer,
    positions: Mapping[TopicPartition, Position],
    topics: Iterable[Topic],
) -> None:
    """Hold where the running service is against Kafka, as a worker does; `known` is its cluster id.

    Raises:
        CannotRun: the service has handled nothing yet.
        OtherKafka: this is not the Kafka that the database belongs to.
    """
    if not positions or known is None:
        raise CannotRun("the service has not taken any partition yet: there is nothing to rebuild")
    offsets.refuse_other_cluster(known, await cluster_id(kafka))
    client.assign(list(positions))
    compacted = {topic.name for topic in topics if topic.compacted}
    offsets.refuse_misfits(await offsets.look(client, positions, compacted))


def require_from_the_start(
    topics: Iterable[Topic], spans: Mapping[TopicPartition, Stretch]
) -> None:
    """Raises Loss when records of a topic that keeps all have expired."""
    kept_all = {topic.name for topic in topics if not topic.compacted}
    for tp, span in spans.items():
        if tp.topic in kept_all and span.first > 0:
            raise Loss(
                f"{tp.topic}-{tp.partition} begins at {span.first}: what is older has expired, and would"
                " be lost from what is rebuilt; --accept-loss does it all the same"
            )


def require_nothing_lost(rebuild: Rebuild[object], differences: Iterable[Difference]) -> None:
    """Raises Loss when rows would go that nothing on the topics tells of any more."""
    for found in differences:
        if found.table in rebuild.losses and found.gone:
            raise Loss(
                f"{found.gone} rows of {found.table} are in the running table, and the topics do not"
                " tell of them: they would be lost; --accept-loss does it all the same"
            )


def require_kept(rebuild: Rebuild[object], differences: Iterable[Difference]) -> None:
    """Raises CannotRun when rows would change that are kept for good."""
    for found in differences:
        if found.table in rebuild.kept and (found.changed or found.gone):
            raise CannotRun(
                f"{found.changed} rows of {found.table} would change and {found.gone} go, which must"
                " not be: nothing is switched"
            )
