"""Takes the snapshot of the topic registry, and finds changes that break readers or writers of a topic."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from schemas.topics import ALL, Topic, prescriptions

TopicSnapshot: TypeAlias = Mapping[str, Any]

PHARMACY = "{pharmacy}"
"""Stands for a pharmacy's AGB code in the name of its own topic."""

EVERY_TOPIC: tuple[Topic, ...] = (*ALL, prescriptions(PHARMACY))
"""Every topic; the topics of pharmacies as one pattern."""


def snapshot() -> dict[str, TopicSnapshot]:
    """Take the snapshot of each topic, by name. `retention_ms` is null for a compacted topic."""
    return {topic.name: _snapshot(topic) for topic in EVERY_TOPIC}


def key_field(topic: Topic) -> str | None:
    """The body field that is a topic's key; None for dead letters, which keep the key of the record."""
    return topic.bodies[0].KEY if topic.bodies else None


def _snapshot(topic: Topic) -> TopicSnapshot:
    retention = topic.retention
    return {
        "key": key_field(topic),
        "types": sorted(body.TYPE for body in topic.bodies),
        "partitions": topic.partitions,
        "compacted": topic.compacted,
        "retention_ms": None if retention is None else int(retention.total_seconds() * 1000),
        "max_bytes": topic.max_bytes,
        "writers": sorted(topic.writers),
        "readers": sorted(topic.readers),
    }


def breaking_topic_changes(
    old: Mapping[str, TopicSnapshot], new: Mapping[str, TopicSnapshot]
) -> list[str]:
    """Every change of the registry that breaks a reader or a writer of a topic, as sentences."""
    changes = []
    for name, before in old.items():
        if name not in new:
            changes.append(f"{name}: the topic was removed: its readers and writers lose it")
            continue
        changes += [f"{name}: {what}" for what in _changes(before, new[name])]
    return changes


def _changes(old: TopicSnapshot, new: TopicSnapshot) -> Iterator[str]:
    if old["key"] != new["key"]:
        yield f"the key changed from {old['key']} to {new['key']}: a key's records would not meet"
    if old["partitions"] != new["partitions"]:
        yield (
            f"partitions changed from {old['partitions']} to {new['partitions']}: "
            "every key would move to another partition"
        )
    yield from _kept_changes(old, new)
    if new["max_bytes"] < old["max_bytes"]:
        yield (
            f"max_bytes shrank from {old['max_bytes']} to {new['max_bytes']}: "
            "the broker would refuse records of earlier writers"
        )
    for removed in _removed("types", old, new):
        yield f"it no longer carries {removed}: its readers would miss it, its writers be refused"
    for removed in _removed("writers", old, new):
        yield f"{removed} may no longer write"
    for removed in _removed("readers", old, new):
        yield f"{removed} may no longer read"


def _kept_changes(old: TopicSnapshot, new: TopicSnapshot) -> Iterator[str]:
    if old["compacted"] != new["compacted"]:
        was, becomes = ("compacted" if t["compacted"] else "kept for a time" for t in (old, new))
        yield f"it was {was} and is {becomes} now: records that readers count on would be deleted"
    elif not old["compacted"] and new["retention_ms"] < old["retention_ms"]:
        yield (
            f"retention_ms shrank from {old['retention_ms']} to {new['retention_ms']}: "
            "records that slow readers count on would be deleted"
        )


def _removed(what: str, old: TopicSnapshot, new: TopicSnapshot) -> list[str]:
    return [item for item in old[what] if item not in new[what]]
