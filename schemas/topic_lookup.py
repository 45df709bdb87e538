"""Topics by name, and those that outside systems have beside ours."""

from dataclasses import replace
from functools import lru_cache

from schemas.access import Party
from schemas.records.directory import SystemEntry
from schemas.topics import ALL, DEFAULT_MAX_BYTES, PRESCRIPTIONS_PREFIX, Topic, prescriptions

_BY_NAME = {topic.name: topic for topic in ALL}


def of_system(topic: Topic, system: str) -> Topic:
    """The topic on which this system alone writes what others write on `topic`.

    Kafka tells a reader nothing of who wrote a record; access lists are per topic, so the topic says it. The
    services that write the plain topic write here too: they move a record to the partition of its key.
    """
    assert topic.systems is not None, f"systems have no topic beside {topic.name}"
    return replace(
        topic,
        name=f"{topic.name}.{system}",
        about=f"{topic.about} Those of the system {system}.",
        writers=topic.writers | {topic.systems},
        systems=None,
    )


def find_topic(name: str) -> Topic | None:
    """Find a topic by its name, also one of a system or a pharmacy; None when it is none of ours."""
    if topic := _BY_NAME.get(name):
        return topic
    plain, _, last = name.rpartition(".")
    if system := system_of(name):
        return of_system(_BY_NAME[plain], system)
    return prescriptions(last) if last and plain + "." == PRESCRIPTIONS_PREFIX else None


def topics_of_system(system: SystemEntry) -> list[Topic]:
    """The topics on which this system writes."""
    return [of_system(topic, system.name) for topic in ALL if topic.systems == system.kind]


@lru_cache
def system_of(name: str) -> str | None:
    """The system that alone writes on the topic with this name; None for a topic of ours."""
    plain, _, last = name.rpartition(".")
    beside = _BY_NAME.get(plain)
    return last if last and beside and beside.systems and name not in _BY_NAME else None


def systems_of(name: str) -> Party:
    """The kind of the system that alone writes on the topic with this name. Raises KeyError for ours."""
    kind = _BY_NAME[name.rpartition(".")[0]].systems
    if kind is None:
        raise KeyError(name)
    return kind


def max_bytes(topic: str) -> int:
    """The largest record that a topic accepts, in bytes; of one that is none of ours, the default."""
    found = find_topic(topic)
    return found.max_bytes if found else DEFAULT_MAX_BYTES
