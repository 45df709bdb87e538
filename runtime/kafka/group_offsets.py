"""What Kafka knows: how far each service has committed, and which partitions topics have."""

import asyncio
from collections.abc import Iterable

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import (
    GroupCoordinatorNotAvailableError,
    GroupLoadInProgressError,
    NotCoordinatorForGroupError,
    UnknownTopicOrPartitionError,
    for_code,
)

_ATTEMPTS = 20
_AGAIN_S = 0.25

# A Kafka on which nobody has committed yet makes its topic for that at the first question.
_PASSES = (GroupCoordinatorNotAvailableError, GroupLoadInProgressError, NotCoordinatorForGroupError)


async def committed(client: AIOKafkaAdminClient, group: str) -> dict[TopicPartition, int]:
    """The committed offsets of a group, whose name is the service's; empty when it never committed.

    Raises KafkaError when Kafka refuses, or has no coordinator for the group within 5 s.
    """
    for _ in range(_ATTEMPTS):
        try:
            return await _committed(client, group)
        except _PASSES:
            await asyncio.sleep(_AGAIN_S)
    return await _committed(client, group)


async def _committed(client: AIOKafkaAdminClient, group: str) -> dict[TopicPartition, int]:
    offsets = await client.list_consumer_group_offsets(group)
    return {tp: found.offset for tp, found in offsets.items() if found.offset >= 0}


async def partitions(client: AIOKafkaAdminClient, topics: Iterable[str]) -> list[TopicPartition]:
    """The partitions of those of these topics that are there, in order. Raises KafkaError otherwise."""
    found: list[TopicPartition] = []
    wanted = sorted(topics)
    # Asked for none, Kafka tells of all.
    for topic in await client.describe_topics(wanted) if wanted else ():
        error = for_code(topic["error_code"])
        if topic["error_code"] == 0:
            numbers = sorted(p["partition"] for p in topic["partitions"])
            found += [TopicPartition(topic["topic"], number) for number in numbers]
        elif error is not UnknownTopicOrPartitionError:
            raise error(topic["topic"])
    return found
