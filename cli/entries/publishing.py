"""Publishes entries to Kafka: reads the current ones, compares, publishes what changed by its next version."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import BaseModel

from cli.publish import record_of
from runtime.kafka.global_table import read_table
from runtime.kafka.producer import Producer
from schemas.base import Body
from schemas.topics import Topic

COPIES = 3


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


def _never(_: Any) -> bool:
    return False


@dataclass(frozen=True)
class Kind:
    """One kind of entries. `name` is what people know one by; one that is `removed` is left alone."""

    topic: Topic
    body: type[Body]
    name: Callable[[Any], str]
    removed: Callable[[Any], bool] = _never

    def key_of(self, entry: BaseModel) -> str:
        """The key of an entry's record."""
        key: str = getattr(entry, self.body.KEY)
        return key

    def row(self, entry: BaseModel, state: State, version: int, *changed: str) -> Row:
        """An entry's row in the report."""
        return Row(self.key_of(entry), self.name(entry), state, version, changed)


Send = Callable[[Topic, Any], Awaitable[None]]
"""Sends a new or changed entry, with its version, to its topic."""


async def send(producer: Producer, topic: Topic, entry: Any) -> None:
    """Send an entry as the record of its version. Raises NotPublished when it is not acknowledged in time."""
    await producer.send(record_of(topic, entry, entry.version))


async def publish_entries(
    bootstrap: str, kind: Kind, entries: Sequence[BaseModel], send: Send
) -> list[Row]:
    """Compare the entries of one kind with those on Kafka, and send each new or changed one.

    Raises:
        KafkaError: Kafka refuses or is unavailable.
        OSError: a record was not acknowledged, or the current entries were not read, in time.
    """
    current = await read_table(bootstrap, kind.topic, kind.body)
    rows = [*_compared(kind, current, entries), *_left_alone(kind, current, entries)]
    by_key = {kind.key_of(entry): entry for entry in entries}
    for row in rows:
        if row.state in (State.NEW, State.CHANGED):
            fields: dict[str, Any] = dict(by_key[row.key])
            await send(kind.topic, kind.body(**fields, version=row.version))
    return rows


def _compared(
    kind: Kind, current: Mapping[str, Any], entries: Sequence[BaseModel]
) -> Iterator[Row]:
    for entry in entries:
        old = current.get(kind.key_of(entry))
        if old is None:
            yield kind.row(entry, State.NEW, 1)
        elif kind.removed(old):
            yield kind.row(entry, State.REMOVED, old.version)
        elif changed := _changed(old, entry):
            yield kind.row(entry, State.CHANGED, old.version + 1, *changed)
        else:
            yield kind.row(entry, State.UNCHANGED, old.version)


def _changed(old: Body, entry: BaseModel) -> tuple[str, ...]:
    return tuple(name for name, value in entry if getattr(old, name) != value)


def _left_alone(
    kind: Kind, current: Mapping[str, Any], entries: Sequence[BaseModel]
) -> Iterator[Row]:
    in_file = {kind.key_of(entry) for entry in entries}
    for key, old in sorted(current.items()):
        if key not in in_file:
            yield kind.row(old, State.LEFT_ALONE, old.version)
