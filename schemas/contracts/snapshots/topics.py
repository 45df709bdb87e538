"""The topic registry as data, and which changes of it break those who use a topic."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from schemas.topics import ALL, Topic, prescriptions

TopicSnapshot: TypeAlias = Mapping[str, Any]

PHARMACY = "{pharmacy}"
"""Stands for a pharmacy's AGB code in the name of its own topic."""

EVERY: tuple[Topic, ...] = (*ALL, prescriptions(PHARMACY))
"""Every topic, a pharmacy's own as a pattern."""


def snapshot() -> dict[str, TopicSnapshot]:
    """What readers and writers rely on, by topic name. `retention_ms` is null for a compacted topic."""
    return {topic.name: _snapshot(topic) for topic in EVERY}


def key_field(topic: Topic) -> str | None:
    """The body field that a topic's key equals; None for dead letters, which keep the record's own."""
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
    found = []
    for name, before in old.items():
        if name not in new:
            found.append(f"{name}: the topic was removed: its readers and writers lose it")
            continue
        found += [f"{name}: {what}" for what in _changes(before, new[name])]
    return found


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
    for gone in _gone("types", old, new):
        yield f"it no longer carries {gone}: its readers would miss it, its writers be refused"
    for gone in _gone("writers", old, new):
        yield f"{gone} may no longer write"
    for gone in _gone("readers", old, new):
        yield f"{gone} may no longer read"


def _kept_changes(old: TopicSnapshot, new: TopicSnapshot) -> Iterator[str]:
    if old["compacted"] != new["compacted"]:
        was, becomes = ("compacted" if t["compacted"] else "kept for a time" for t in (old, new))
        yield f"it was {was} and is {becomes} now: records that readers count on would be deleted"
    elif not old["compacted"] and new["retention_ms"] < old["retention_ms"]:
        yield (
            f"retention_ms shrank from {old['retention_ms']} to {new['retention_ms']}: "
            "records that slow readers count on would be deleted"
        )


def _gone(what: str, old: TopicSnapshot, new: TopicSnapshot) -> list[str]:
    return [item for item in old[what] if item not in new[what]]
