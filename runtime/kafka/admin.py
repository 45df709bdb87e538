"""Topics on the broker, made from the registry: what differs, and bringing it there.

Nothing is ever deleted or shrunk: that loses records, and is not for a program to decide.
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
_EXISTS = 36
"""Another process created the topic in between, which is what was wanted."""

AT_ONCE = 500
"""Topics in one request: Kafka makes at most 10,000 small changes for one, and a topic is five of them."""

_SET_ON_TOPIC = 1
"""A setting's source: DYNAMIC_TOPIC_CONFIG, as opposed to a default."""


T = TypeVar("T")


class TopicsMissing(Exception):
    """Some topics are not there yet; they come with `herhaal topics apply`."""


class TopicMismatch(CannotRun):
    """A topic has another number of partitions than the registry, which moves every key."""


Settings: TypeAlias = Mapping[str, Mapping[str, tuple[str, str]]]
"""Per topic and setting: (value on the broker, value in the registry)."""


@dataclass(frozen=True)
class Plan:
    """What `apply` would do, and what it leaves alone because it never shrinks or deletes."""

    create: tuple[Topic, ...] = ()
    configure: Settings = field(default_factory=dict)
    left: Settings = field(default_factory=dict)
    """Settings that would make the broker delete records or refuse larger ones; not changed."""
    refused: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """Topics with another number of partitions: (on the broker, in the registry); not changed."""

    @property
    def empty(self) -> bool:
        """Whether the broker already is as the registry says."""
        return not (self.create or self.configure or self.left or self.refused)


def partitions_of(topics: Iterable[Topic]) -> list[TopicPartition]:
    """All partitions of these topics, as the registry counts them."""
    return [
        TopicPartition(topic.name, number) for topic in topics for number in range(topic.partitions)
    ]


async def count_brokers(bootstrap: str) -> int:
    """How many brokers are up, which bounds the replication factor."""
    async with admin(bootstrap) as client:
        return len((await client.describe_cluster())["brokers"])


async def cluster_id(bootstrap: str) -> str:
    """The id of the cluster, given once and for all when its storage was made."""
    async with admin(bootstrap) as client:
        found: str = (await client.describe_cluster())["cluster_id"]
        return found


async def plan_topics(bootstrap: str, topics: Iterable[Topic]) -> Plan:
    """The difference between the registry and the broker.

    A broker may show a change some milliseconds late, as its metadata is replicated.

    Raises:
        KafkaError: Kafka is away, or refuses to tell.
    """
    async with admin(bootstrap) as client:
        return await _plan(client, list(topics))


async def apply_topics(bootstrap: str, topics: Iterable[Topic], replication: int) -> Plan:
    """Create what is missing, with this replication factor, and set what differs; what was done.

    Raises:
        KafkaError: Kafka is away, or refuses; what it did before that stays.
    """
    async with admin(bootstrap) as client:
        plan = await _plan(client, list(topics))
        for some in _batches(plan.create):
            response = await client.create_topics([_new(t, replication) for t in some])
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
        configure=_where(differs, loses=False),
        left=_where(differs, loses=True),
        refused={
            t.name: (partitions[t.name], t.partitions)
            for t in present
            if partitions[t.name] != t.partitions
        },
    )


def _batches(all_of_them: Sequence[T]) -> Iterator[Sequence[T]]:
    return (all_of_them[at : at + AT_ONCE] for at in range(0, len(all_of_them), AT_ONCE))


def _where(differs: Settings, *, loses: bool) -> Settings:
    chosen = {
        topic: {name: pair for name, pair in settings.items() if _loses(name, *pair) is loses}
        for topic, settings in differs.items()
    }
    return {topic: settings for topic, settings in chosen.items() if settings}


def _loses(setting: str, old: str, new: str) -> bool:
    """Whether going from `old` to `new` deletes records, or refuses some that were taken."""
    match setting:
        case "cleanup.policy":
            return not set(new.split(",")) <= set(old.split(","))
        case "retention.ms":
            return int(old) < 0 or 0 <= int(new) < int(old)  # -1 keeps for ever
        case "max.message.bytes":
            return int(new) < int(old)
        case _:
            return False


async def _configure(client: AIOKafkaAdminClient, settings: Settings) -> None:
    configs = await _configs(client, list(settings))
    # This request replaces all settings of a topic, so those that others made are sent along.
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
    """Check that the broker has these topics with the registry's partitions.

    Raises:
        TopicsMissing: they are not all there yet.
        TopicMismatch: a number of partitions differs.
    """
    plan = await plan_topics(bootstrap, topics)
    if plan.create:
        raise TopicsMissing(", ".join(topic.name for topic in plan.create))
    if plan.refused:
        raise TopicMismatch(
            "; ".join(
                f"{name} has {there} partitions, the registry says {wanted}"
                for name, (there, wanted) in plan.refused.items()
            )
        )


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
    """A topic's settings on the broker: all values, and those set on the topic itself."""

    values: Mapping[str, str]
    own: dict[str, str]


async def _configs(client: AIOKafkaAdminClient, names: Sequence[str]) -> dict[str, _Config]:
    if not names:
        return {}
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    found: dict[str, _Config] = {}
    for response in await client.describe_configs(resources):
        _raise_for((r[3], r[0], r[1]) for r in response.resources)
        for resource in response.resources:
            entries = resource[4]
            found[resource[3]] = _Config(
                {entry[0]: entry[1] for entry in entries},
                {entry[0]: entry[1] for entry in entries if entry[3] == _SET_ON_TOPIC},
            )
    return found


def _raise_for(errors: Iterable[tuple[str, int, str | None]]) -> None:
    for name, code, message in errors:
        if code not in (0, _MISSING, _EXISTS):
            raise for_code(code)(f"{name}: {message or ''}")
