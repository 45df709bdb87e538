"""Publishes a directory to Kafka: the topics that it needs, then what changed."""

from collections.abc import Sequence
from functools import partial
from operator import attrgetter
from typing import Any

from cli.entries.publishing import COPIES, Kind, Report, publish_entries, send
from cli.publish import publisher
from cli.systems.grants import grant, revoke_left_over
from runtime.kafka.admin import apply_topics, count_brokers
from runtime.kafka.producer import Producer
from schemas import topics
from schemas.records.directory import (
    Directory,
    Pharmacy,
    PharmacyEntry,
    Practice,
    PracticeEntry,
    System,
    SystemEntry,
)
from schemas.topic_lookup import topics_of_system
from schemas.topics import Topic

Entry = PracticeEntry | PharmacyEntry | SystemEntry

_PRACTICES = Kind(topics.DIRECTORY_PRACTICES, Practice, attrgetter("name"))
_PHARMACIES = Kind(topics.DIRECTORY_PHARMACIES, Pharmacy, attrgetter("name"))
_SYSTEMS = Kind(
    topics.DIRECTORY_SYSTEMS,
    System,
    attrgetter("contact"),
    removed=lambda system: system.removed_at is not None,
)


async def publish_directory(bootstrap: str, directory: Directory) -> Report:
    """Create the topics of pharmacies and systems and grant access, then publish each new or changed entry.

    Raises:
        KafkaError, AccessControlFailed: Kafka refuses or is unavailable.
        OSError: a record was not acknowledged, or the current entries were not read, in time.
    """
    kinds: list[tuple[Kind, Sequence[Entry]]] = [
        (_PRACTICES, directory.practices),
        (_PHARMACIES, directory.pharmacies),
        (_SYSTEMS, directory.systems),
    ]
    # Topics first: ordering publishes to a pharmacy's topic, and reads a system's, as soon as the directory
    # names it.
    needed = [
        *(kind.topic for kind, _ in kinds),
        *(topics.prescriptions(pharmacy.agb) for pharmacy in directory.pharmacies),
        *(topic for system in directory.systems for topic in topics_of_system(system)),
    ]
    await apply_topics(bootstrap, needed, min(COPIES, await count_brokers(bootstrap)))
    async with publisher(bootstrap) as producer:
        granted = partial(_send, bootstrap, producer)
        rows = [
            row
            for kind, entries in kinds
            for row in await publish_entries(bootstrap, kind, entries, granted)
        ]
    return Report(tuple(rows))


async def publish_system(bootstrap: str, system: System) -> None:
    """Publish one system's entry.

    Raises:
        NotPublished: it was not acknowledged in time.
    """
    async with publisher(bootstrap) as producer:
        await send(producer, _SYSTEMS.topic, system)


async def _send(bootstrap: str, producer: Producer, topic: Topic, body: Any) -> None:
    if isinstance(body, System):
        await grant(bootstrap, body)
    await send(producer, topic, body)
    if isinstance(body, System):
        await revoke_left_over(bootstrap, body)
