"""`apply_topics` on a real broker: what it creates, changes and leaves alone."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import InvalidReplicationFactorError, KafkaConnectionError
from typer.testing import CliRunner

from cli.topics import app
from deploy.local import LocalStack
from runtime.kafka.admin import (
    Plan,
    TopicMismatch,
    TopicsMissing,
    apply_topics,
    count_brokers,
    plan_topics,
    require_topics,
)
from runtime.kafka.clients import admin
from samples.codes import pharmacy_code
from schemas.topics import ALL, Topic, prescriptions
from tests.harness.kafka import eventually


def a_topic(retention: timedelta | None = timedelta(days=2)) -> Topic:
    """Return a topic that no other test uses."""
    nobody = frozenset({"nobody"})
    return Topic(f"test.{uuid4().hex}", "", (), nobody, nobody, retention, partitions=3)


async def planned(kafka: str, topic: Topic, wanted: Plan) -> None:
    """Wait for this plan: a broker shows changes some milliseconds late."""

    async def look() -> Plan:
        return await plan_topics(kafka, [topic])

    await eventually(look, lambda seen: bool(seen == wanted))


async def created(kafka: str, topic: Topic) -> None:
    await apply_topics(kafka, [topic], replication=1)
    await planned(kafka, topic, Plan())


async def test_a_missing_topic_is_created_as_the_registry_says(stack: LocalStack) -> None:
    topic = a_topic()
    assert await plan_topics(stack.kafka, [topic]) == Plan(create=(topic,))
    with pytest.raises(TopicsMissing, match=topic.name):
        await require_topics(stack.kafka, [topic])
    await created(stack.kafka, topic)
    await require_topics(stack.kafka, [topic])


async def test_the_topics_of_all_dutch_pharmacies_are_made(stack: LocalStack) -> None:
    """Given 2,000 pharmacies, more topics than one request to Kafka may create; then each has its topic."""
    wanted = [
        replace(prescriptions(pharmacy_code(0)), name=f"test.pharmacy.{n}") for n in range(2_000)
    ]
    try:
        assert len((await apply_topics(stack.kafka, wanted, replication=1)).create) == 2_000
        await eventually(lambda: plan_topics(stack.kafka, wanted), lambda plan: plan.empty)
    finally:
        async with admin(stack.kafka) as client:
            await client.delete_topics([topic.name for topic in wanted])


async def test_applying_twice_at_once_is_no_error(stack: LocalStack) -> None:
    topic = a_topic(retention=None)
    await asyncio.gather(*(apply_topics(stack.kafka, [topic], 1) for _ in range(3)))
    await planned(stack.kafka, topic, Plan())


async def test_a_setting_that_keeps_more_is_changed(stack: LocalStack) -> None:
    topic = a_topic()
    await created(stack.kafka, topic)
    longer = replace(topic, retention=timedelta(days=3), max_bytes=2_000_000)
    changes = {
        topic.name: {
            "retention.ms": ("172800000", "259200000"),
            "max.message.bytes": ("1048576", "2000000"),
        }
    }
    assert await plan_topics(stack.kafka, [longer]) == Plan(configure=changes)
    assert (await apply_topics(stack.kafka, [longer], 1)).configure == changes
    await planned(stack.kafka, longer, Plan())


async def test_a_setting_that_would_lose_records_is_left_alone_and_told(
    stack: LocalStack,
) -> None:
    topic = a_topic()
    await created(stack.kafka, topic)
    shorter = replace(topic, retention=timedelta(days=1), max_bytes=1000)
    left = {
        topic.name: {
            "retention.ms": ("172800000", "86400000"),
            "max.message.bytes": ("1048576", "1000"),
        }
    }
    assert await apply_topics(stack.kafka, [shorter], 1) == Plan(skipped=left)
    await planned(stack.kafka, shorter, Plan(skipped=left))
    await require_topics(stack.kafka, [shorter])


@pytest.mark.parametrize(
    ("before", "after"), [(timedelta(days=2), None), (None, timedelta(days=7))]
)
async def test_compaction_is_never_switched(
    stack: LocalStack, before: timedelta | None, after: timedelta | None
) -> None:
    topic = a_topic(before)
    await created(stack.kafka, topic)
    plan = await apply_topics(stack.kafka, [replace(topic, retention=after)], 1)
    assert "cleanup.policy" in plan.skipped[topic.name]
    await planned(stack.kafka, topic, Plan())


async def test_partitions_are_never_changed_and_a_service_does_not_run_on_it(
    stack: LocalStack,
) -> None:
    topic = a_topic()
    await created(stack.kafka, topic)
    wider = replace(topic, partitions=5)
    assert await apply_topics(stack.kafka, [wider], 1) == Plan(refused={topic.name: (3, 5)})
    with pytest.raises(TopicMismatch, match="has 3 partitions, the registry says 5"):
        await require_topics(stack.kafka, [wider])
    await planned(stack.kafka, topic, Plan())


async def settings(kafka: str, topic: Topic) -> Mapping[str, str]:
    async with admin(kafka) as client:
        [found] = await client.describe_configs(
            [ConfigResource(ConfigResourceType.TOPIC, topic.name)]
        )
    return {entry[0]: entry[1] for entry in found.resources[0][4]}


async def test_what_an_operator_has_set_on_a_topic_stays(stack: LocalStack) -> None:
    topic = a_topic()
    await created(stack.kafka, topic)
    async with admin(stack.kafka) as client:
        await client.alter_configs(
            [
                ConfigResource(
                    ConfigResourceType.TOPIC, topic.name, {**topic.config, "segment.ms": "3600000"}
                )
            ]
        )

    async def set_by_operator() -> str:
        return (await settings(stack.kafka, topic))["segment.ms"]

    await eventually(set_by_operator, lambda seen: bool(seen == "3600000"))
    longer = replace(topic, retention=timedelta(days=3))
    await apply_topics(stack.kafka, [longer], 1)
    await planned(stack.kafka, longer, Plan())
    assert await set_by_operator() == "3600000"


async def test_more_copies_than_brokers_is_refused_by_name(stack: LocalStack) -> None:
    topic = a_topic()
    too_many = await count_brokers(stack.kafka) + 1
    with pytest.raises(InvalidReplicationFactorError, match=topic.name):
        await apply_topics(stack.kafka, [topic], too_many)


async def test_a_kafka_that_is_away_raises() -> None:
    with pytest.raises(KafkaConnectionError):
        await plan_topics("127.0.0.1:1", [a_topic()])


async def test_the_commands_find_nothing_to_do_on_a_running_stack(stack: LocalStack) -> None:
    for command in ("apply", "plan"):
        result = await asyncio.to_thread(CliRunner().invoke, app, [command, "--kafka", stack.kafka])
        assert result.exit_code == 0, result.output
        assert f"{len(ALL)} of {len(ALL)} topics unchanged" in result.output
