"""Who may read and write what in Kafka: access lists, derived from the topic registry and from the systems.

Everything that is not granted is denied. The operator (the command line, which makes topics and grants, and
replays any record) and the brokers are superusers and need no grant.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from schemas.access import Party
from schemas.records.directory import System
from schemas.topic_lookup import topics_of_system
from schemas.topics import ALL, PRESCRIPTIONS_PREFIX, SERVICES, prescriptions

SEPARATOR = "."
"""Ends every prefix that is granted. No name of a system contains it, so no prefix covers a neighbour's."""


class Operation(StrEnum):
    """What may be done with a topic or a group; each includes describing it."""

    READ = "READ"
    WRITE = "WRITE"


class Resource(StrEnum):
    """What is granted."""

    TOPIC = "TOPIC"
    GROUP = "GROUP"


@dataclass(frozen=True, order=True)
class Grant:
    """One entry of Kafka's access lists. With `prefix`, for all names that begin with `name`."""

    principal: str
    resource: Resource
    name: str
    operation: Operation
    prefix: bool = False


def grants(systems: Iterable[System]) -> set[Grant]:
    """Derive all access lists."""
    return {*services_grants(), *(grant for system in systems for grant in system_grants(system))}


def services_grants() -> Iterator[Grant]:
    """Derive the grants of our services: their topics, those of systems, and their own consumer group.

    A service may read back what it has written: it recovers from its own events, and serves feeds from them.
    """
    for service in SERVICES:
        yield Grant(service, Resource.GROUP, service, Operation.READ)
        for topic in ALL:
            names = [(topic.name, False)]
            if topic.systems:
                names.append((topic.name + SEPARATOR, True))
            for name, prefix in names:
                if service in topic.readers | topic.writers:
                    yield Grant(service, Resource.TOPIC, name, Operation.READ, prefix)
                if service in topic.writers:
                    yield Grant(service, Resource.TOPIC, name, Operation.WRITE, prefix)
    for operation in Operation:
        yield Grant("ordering", Resource.TOPIC, PRESCRIPTIONS_PREFIX, operation, prefix=True)


def system_grants(system: System) -> Iterator[Grant]:
    """Derive the grants of an outside system: none once it is removed."""
    if system.removed_at is not None:
        return
    for topic in topics_of_system(system):
        yield Grant(system.name, Resource.TOPIC, topic.name, Operation.WRITE)
    if system.kind == Party.PHARMACY_SYSTEM:
        yield Grant(
            system.name, Resource.GROUP, system.name + SEPARATOR, Operation.READ, prefix=True
        )
        for topic in map(prescriptions, system.pharmacies):
            yield Grant(system.name, Resource.TOPIC, topic.name, Operation.READ)
