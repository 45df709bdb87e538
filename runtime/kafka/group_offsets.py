"""Committed offsets of consumer groups, and the existing partitions of topics."""

from collections.abc import Iterable

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import UnknownTopicOrPartitionError, for_code

from runtime.kafka.group_coordinator import retry_without_coordinator


async def committed(client: AIOKafkaAdminClient, group: str) -> dict[TopicPartition, int]:
    """The committed offsets of a group, which is named after its service; empty if it never committed.

    Raises:
        KafkaError: Kafka refuses, or the group has no coordinator within 5 s.
    """
    return await retry_without_coordinator(lambda: _committed(client, group))


async def _committed(client: AIOKafkaAdminClient, group: str) -> dict[TopicPartition, int]:
    offsets = await client.list_consumer_group_offsets(group)
    return {tp: entry.offset for tp, entry in offsets.items() if entry.offset >= 0}


async def existing_partitions(
    client: AIOKafkaAdminClient, topics: Iterable[str]
) -> list[TopicPartition]:
    """The partitions of these topics, sorted, without topics that do not exist. Raises KafkaError."""
    partitions: list[TopicPartition] = []
    wanted = sorted(topics)
    # A request without topics would describe all topics.
    for topic in await client.describe_topics(wanted) if wanted else ():
        error = for_code(topic["error_code"])
        if topic["error_code"] == 0:
            numbers = sorted(p["partition"] for p in topic["partitions"])
            partitions += [TopicPartition(topic["topic"], number) for number in numbers]
        elif error is not UnknownTopicOrPartitionError:
            raise error(topic["topic"])
    return partitions
