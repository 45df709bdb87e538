"""Publishes a directory to Kafka: reads the current entries, compares, publishes the changes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from cli.publish import publisher, record_of
from cli.systems.grants import grant, revoke_left_over
from runtime.kafka.admin import apply_topics, count_brokers
from runtime.kafka.global_table import read_table
from runtime.kafka.producer import Producer
from schemas import topics
from schemas.base import Body
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

COPIES = 3

Entry = PracticeEntry | PharmacyEntry | SystemEntry
Published = Practice | Pharmacy | System


class State(StrEnum):
    """How an entry of the file compares with Kafka."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REMOVED = "removed, left alone"
    LEFT_ALONE = "not in the file, left alone"


@dataclass(frozen=True)
class Row:
    """One entry: its AGB code or its name, its version on Kafka after `apply`, and the fields that changed."""

    key: str
    name: str
    state: State
    version: int
    changed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Report:
    """The result of `apply`."""

    rows: tuple[Row, ...]

    def count(self, state: State) -> int:
        """Count the entries in this state."""
        return sum(row.state is state for row in self.rows)


@dataclass(frozen=True)
class _Kind:
    topic: Topic
    body: type[Body]
    name: str
    """The field that people know an entry by."""

    def key_of(self, entry: Entry | Published) -> str:
        """The key of an entry's record."""
        key: str = getattr(entry, self.body.KEY)
        return key

    def row(self, entry: Entry | Published, state: State, version: int, *changed: str) -> Row:
        return Row(self.key_of(entry), getattr(entry, self.name), state, version, changed)


_PRACTICES = _Kind(topics.DIRECTORY_PRACTICES, Practice, "name")
_PHARMACIES = _Kind(topics.DIRECTORY_PHARMACIES, Pharmacy, "name")
_SYSTEMS = _Kind(topics.DIRECTORY_SYSTEMS, System, "contact")


async def publish_directory(bootstrap: str, directory: Directory) -> Report:
    """Create the topics of pharmacies and systems and grant access, then publish each new or changed entry.

    Raises:
        KafkaError, AccessControlFailed: Kafka refuses or is unavailable.
        OSError: a record was not acknowledged, or the current entries were not read, in time.
    """
    kinds: list[tuple[_Kind, Sequence[Entry]]] = [
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
        rows = [
            row
            for kind, entries in kinds
            for row in await _publish(bootstrap, producer, kind, entries)
        ]
    return Report(tuple(rows))


async def publish_system(bootstrap: str, system: System) -> None:
    """Publish one system's entry.

    Raises:
        NotPublished: it was not acknowledged in time.
    """
    async with publisher(bootstrap) as producer:
        await producer.send(record_of(_SYSTEMS.topic, system, system.version))


async def _publish(
    bootstrap: str, producer: Producer, kind: _Kind, entries: Sequence[Entry]
) -> list[Row]:
    current: Mapping[str, Any] = await read_table(bootstrap, kind.topic, kind.body)
    rows = [*_compared(kind, current, entries), *_left_alone(kind, current, entries)]
    by_key = {kind.key_of(entry): entry for entry in entries}
    for row in rows:
        if row.state in (State.NEW, State.CHANGED):
            body: Any = kind.body(**dict(by_key[row.key]), version=row.version)
            if isinstance(body, System):
                await grant(bootstrap, body)
            await producer.send(record_of(kind.topic, body, body.version))
            if isinstance(body, System):
                await revoke_left_over(bootstrap, body)
    return rows


def _compared(kind: _Kind, current: Mapping[str, Any], entries: Sequence[Entry]) -> Iterator[Row]:
    for entry in entries:
        old = current.get(kind.key_of(entry))
        if old is None:
            yield kind.row(entry, State.NEW, 1)
        elif isinstance(old, System) and old.removed_at is not None:
            yield kind.row(entry, State.REMOVED, old.version)
        elif changed := _changed(old, entry):
            yield kind.row(entry, State.CHANGED, old.version + 1, *changed)
        else:
            yield kind.row(entry, State.UNCHANGED, old.version)


def _changed(old: Published, entry: Entry) -> tuple[str, ...]:
    return tuple(name for name, value in entry if getattr(old, name) != value)


def _left_alone(kind: _Kind, current: Mapping[str, Any], entries: Sequence[Entry]) -> Iterator[Row]:
    in_file = {kind.key_of(entry) for entry in entries}
    for key, old in sorted(current.items()):
        if key not in in_file:
            yield kind.row(old, State.LEFT_ALONE, old.version)
