"""Publishes a directory to Kafka: reads the current entries, compares, publishes the changes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Generic, TypeVar

from runtime.kafka.admin import apply_topics, count_brokers
from runtime.kafka.global_table import read_table
from runtime.kafka.producer import Producer
from runtime.messages.cloudevents import event_id, outgoing
from schemas import topics
from schemas.records.directory import Directory, Pharmacy, PharmacyEntry, Practice, PracticeEntry
from schemas.topics import Topic

SOURCE = "nl.herhaal/cli"

COPIES = 3
_READ_S = 30.0

Entry = PracticeEntry | PharmacyEntry
Published = TypeVar("Published", Practice, Pharmacy)


class State(StrEnum):
    """How an entry of the file compares with Kafka."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    LEFT_ALONE = "not in the file, left alone"


@dataclass(frozen=True)
class Row:
    """One entry: its version on Kafka after `apply`, and the fields that changed."""

    agb: str
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
class _Kind(Generic[Published]):
    topic: Topic
    body: type[Published]

    def version_of(self, entry: Entry, version: int) -> Published:
        return self.body(**dict(entry), version=version)


_PRACTICES = _Kind(topics.DIRECTORY_PRACTICES, Practice)
_PHARMACIES = _Kind(topics.DIRECTORY_PHARMACIES, Pharmacy)


async def publish_directory(bootstrap: str, directory: Directory) -> Report:
    """Create the pharmacies' topics, then publish each entry that is new or changed.

    Raises:
        KafkaError: Kafka refuses or is unavailable.
        OSError: a record was not acknowledged, or the current entries were not read, in time.
    """
    own = [topics.prescriptions(pharmacy.agb) for pharmacy in directory.pharmacies]
    needed = [_PRACTICES.topic, _PHARMACIES.topic, *own]
    # Topics first: ordering publishes to a pharmacy's topic as soon as the directory names it.
    await apply_topics(bootstrap, needed, min(COPIES, await count_brokers(bootstrap)))
    publisher = Producer(bootstrap, "directory")
    try:
        await publisher.start()
        practices = await _publish(bootstrap, publisher, _PRACTICES, directory.practices)
        pharmacies = await _publish(bootstrap, publisher, _PHARMACIES, directory.pharmacies)
    finally:
        await publisher.stop()
    return Report((*practices, *pharmacies))


async def _publish(
    bootstrap: str, publisher: Producer, kind: _Kind[Published], entries: Sequence[Entry]
) -> list[Row]:
    current: Mapping[str, Published] = await read_table(bootstrap, kind.topic, kind.body)
    rows = [*_compared(current, entries), *_left_alone(current, entries)]
    by_agb = {entry.agb: entry for entry in entries}
    for row in rows:
        if row.state in (State.NEW, State.CHANGED):
            body = kind.version_of(by_agb[row.agb], row.version)
            await publisher.send(
                outgoing(
                    kind.topic.name,
                    body,
                    key=body.agb,
                    id=event_id(body.TYPE, body.agb, body.version),
                    source=SOURCE,
                    subject=body.agb,
                    at=datetime.now(UTC),
                    traceparent=None,
                )
            )
    return rows


def _compared(current: Mapping[str, Published], entries: Sequence[Entry]) -> Iterator[Row]:
    for entry in entries:
        old = current.get(entry.agb)
        if old is None:
            yield Row(entry.agb, entry.name, State.NEW, 1)
        elif changed := _changed(old, entry):
            yield Row(entry.agb, entry.name, State.CHANGED, old.version + 1, changed)
        else:
            yield Row(entry.agb, entry.name, State.UNCHANGED, old.version)


def _changed(old: Practice | Pharmacy, entry: Entry) -> tuple[str, ...]:
    return tuple(name for name, value in entry if getattr(old, name) != value)


def _left_alone(current: Mapping[str, Published], entries: Sequence[Entry]) -> Iterator[Row]:
    in_file = {entry.agb for entry in entries}
    for agb, old in sorted(current.items()):
        if agb not in in_file:
            yield Row(agb, old.name, State.LEFT_ALONE, old.version)
