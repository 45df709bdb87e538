"""Compares topics on the cluster with the registry, creates missing ones and changes settings.

Nothing is deleted or shrunk: that loses records, so a person has to decide it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import for_code

from runtime.errors import CannotRun
from runtime.kafka.clients import admin
from schemas.topics import Topic

_MISSING = 3
"""UNKNOWN_TOPIC_OR_PARTITION."""

_EXISTS = 36
"""TOPIC_ALREADY_EXISTS: another process created it meanwhile, which is fine."""

MAX_TOPICS = 500
"""Per request: the controller takes at most 10,000 metadata records at once, and a topic needs about five."""

_SET_ON_TOPIC = 1
"""The config source DYNAMIC_TOPIC_CONFIG: set on the topic itself, not a default."""

T = TypeVar("T")


class TopicsMissing(Exception):
    """Some topics do not exist yet. `herhaal topics apply` creates them."""


def waiting_reason(error: Exception) -> str:
    """The kind of error for which a service waits, with the names of missing topics, which are no content."""
    kind = type(error).__name__
    return f"{kind}: {error}" if isinstance(error, TopicsMissing) else kind


class TopicMismatch(CannotRun):
    """A topic has another number of partitions than the registry, so its keys have other partitions."""


Settings: TypeAlias = Mapping[str, Mapping[str, tuple[str, str]]]
"""Per topic and setting: (value on the broker, value in the registry)."""


@dataclass(frozen=True)
class Plan:
    """What `apply_topics` will do, and what it will not, as it never deletes or shrinks."""

    create: tuple[Topic, ...] = ()
    configure: Settings = field(default_factory=dict)
    skipped: Settings = field(default_factory=dict)
    """Settings whose change would delete records or refuse larger ones; not changed."""
    refused: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """Topics with another number of partitions: (in the cluster, in the registry); not changed."""

    @property
    def empty(self) -> bool:
        """Whether the cluster matches the registry."""
        return not (self.create or self.configure or self.skipped or self.refused)


def partitions_of(topics: Iterable[Topic]) -> list[TopicPartition]:
    """All partitions of these topics, by the registry."""
    return [
        TopicPartition(topic.name, number) for topic in topics for number in range(topic.partitions)
    ]


async def count_brokers(bootstrap: str) -> int:
    """Count the brokers that are up: the highest possible replication factor."""
    async with admin(bootstrap) as client:
        return len((await client.describe_cluster())["brokers"])


async def cluster_id(bootstrap: str) -> str:
    """Ask for the id of the cluster, which never changes after its storage was formatted."""
    async with admin(bootstrap) as client:
        id: str = (await client.describe_cluster())["cluster_id"]
        return id


async def plan_topics(bootstrap: str, topics: Iterable[Topic]) -> Plan:
    """Compare these topics with the cluster.

    A change may show some milliseconds late, as brokers replicate metadata asynchronously.

    Raises:
        KafkaError: Kafka is away, or refuses.
    """
    async with admin(bootstrap) as client:
        return await _plan(client, list(topics))


async def apply_topics(bootstrap: str, topics: Iterable[Topic], replication: int) -> Plan:
    """Create missing topics with this replication factor and change settings; return the plan.

    Raises:
        KafkaError: Kafka is away, or refuses; earlier requests are not undone.
    """
    async with admin(bootstrap) as client:
        plan = await _plan(client, list(topics))
        for batch in _batches(plan.create):
            response = await client.create_topics([_new(t, replication) for t in batch])
            _raise_for(response.topic_errors)
        for names in _batches(list(plan.configure)):
            await _configure(client, {name: plan.configure[name] for name in names})
    return plan


async def _plan(client: AIOKafkaAdminClient, wanted: Sequence[Topic]) -> Plan:
    partitions = await _partitions(client, [t.name for t in wanted])
    present = [t for t in wanted if t.name in partitions]
    configs = await _configs(client, [t.name for t in present])
    differs = {t.name: _differs(t, configs[t.name].values) for t in present}
    return Plan(
        create=tuple(t for t in wanted if t.name not in partitions),
        configure=_select(differs, loses=False),
        skipped=_select(differs, loses=True),
        refused=_other_partitions(present, partitions),
    )


def _batches(items: Sequence[T]) -> Iterator[Sequence[T]]:
    return (items[at : at + MAX_TOPICS] for at in range(0, len(items), MAX_TOPICS))


def _select(differs: Settings, *, loses: bool) -> Settings:
    """The settings whose change does, or does not, lose records."""
    chosen = {
        topic: {name: pair for name, pair in settings.items() if _loses(name, *pair) is loses}
        for topic, settings in differs.items()
    }
    return {topic: settings for topic, settings in chosen.items() if settings}


def _loses(setting: str, old: str, new: str) -> bool:
    """Whether this change deletes records, or refuses records that were accepted before."""
    match setting:
        case "cleanup.policy":
            return not set(new.split(",")) <= set(old.split(","))
        case "retention.ms":
            return int(old) < 0 or 0 <= int(new) < int(old)  # -1: no limit
        case "max.message.bytes":
            return int(new) < int(old)
        case _:
            return False


async def _configure(client: AIOKafkaAdminClient, settings: Settings) -> None:
    configs = await _configs(client, list(settings))
    # AlterConfigs replaces all settings of a topic, so settings from elsewhere are sent again.
    resources = [
        ConfigResource(
            ConfigResourceType.TOPIC,
            topic,
            configs[topic].own | {name: new for name, (_, new) in changes.items()},
        )
        for topic, changes in settings.items()
    ]
    for response in await client.alter_configs(resources):
        _raise_for((r[3], r[0], r[1]) for r in response.resources)


async def require_topics(bootstrap: str, topics: Sequence[Topic]) -> None:
    """Check that the cluster has these topics with the registry's partitions.

    Raises:
        TopicsMissing: a topic does not exist yet.
        TopicMismatch: a topic has another number of partitions.
        KafkaError: Kafka is away, or refuses.
    """
    async with admin(bootstrap) as client:
        partitions = await _partitions(client, [topic.name for topic in topics])
    if missing := [topic.name for topic in topics if topic.name not in partitions]:
        raise TopicsMissing(", ".join(missing))
    if refused := _other_partitions(topics, partitions):
        raise TopicMismatch(
            "; ".join(
                f"{name} has {actual} partitions, the registry says {wanted}"
                for name, (actual, wanted) in refused.items()
            )
        )


def _other_partitions(
    topics: Iterable[Topic], partitions: Mapping[str, int]
) -> dict[str, tuple[int, int]]:
    """Topics with another number of partitions: (in the cluster, in the registry)."""
    return {
        t.name: (partitions[t.name], t.partitions)
        for t in topics
        if partitions[t.name] != t.partitions
    }


def _new(topic: Topic, replication: int) -> NewTopic:
    return NewTopic(
        name=topic.name,
        num_partitions=topic.partitions,
        replication_factor=replication,
        topic_configs=topic.config,
    )


def _differs(topic: Topic, config: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    return {
        name: (config.get(name, ""), value)
        for name, value in topic.config.items()
        if config.get(name) != value
    }


async def _partitions(client: AIOKafkaAdminClient, names: Sequence[str]) -> dict[str, int]:
    described = await client.describe_topics(list(names))
    _raise_for((t["topic"], t["error_code"], None) for t in described)
    return {t["topic"]: len(t["partitions"]) for t in described if t["error_code"] == 0}


@dataclass(frozen=True)
class _Config:
    """A topic's settings in the cluster: all values, and the ones set on the topic itself."""

    values: Mapping[str, str]
    own: dict[str, str]


async def _configs(client: AIOKafkaAdminClient, names: Sequence[str]) -> dict[str, _Config]:
    if not names:
        return {}
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    configs: dict[str, _Config] = {}
    for response in await client.describe_configs(resources):
        _raise_for((r[3], r[0], r[1]) for r in response.resources)
        for resource in response.resources:
            entries = resource[4]
            configs[resource[3]] = _Config(
                {entry[0]: entry[1] for entry in entries},
                {entry[0]: entry[1] for entry in entries if entry[3] == _SET_ON_TOPIC},
            )
    return configs


def _raise_for(errors: Iterable[tuple[str, int, str | None]]) -> None:
    for name, code, message in errors:
        if code not in (0, _MISSING, _EXISTS):
            raise for_code(code)(f"{name}: {message or ''}")
