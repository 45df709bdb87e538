"""The declaration of a service's projections, from which they can be rebuilt."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Protocol, TypeAlias

from runtime.loop.handler import Decider, W
from runtime.messages.message import Message
from runtime.postgres.connection import Connection
from schemas.base import Body
from schemas.topics import Topic

Directory: TypeAlias = Mapping[type[Body], Mapping[str, Any]]
"""The newest bodies of compacted topics by key, read when the rebuild starts."""

ReadTopic: TypeAlias = Callable[[Topic], AsyncIterator[Sequence[Message[Any]]]]
"""Reads a topic's messages in batches, from its beginning to its current end."""


class Builder(Decider[W], Protocol):
    """The service's handler for a rebuild. Records that it returns for publishing are dropped."""

    async def write(self, db: Connection, work: W) -> None:
        """Write the changes in `work`, or hold them back; runs in the transaction that stores the progress."""

    async def settle(self, db: Connection) -> None:
        """Write what `write` held back; afterwards the tables are as of the stored progress."""


async def _nothing(_: Connection) -> None:
    """The default hook: does nothing."""


async def _nothing_else(_: Connection, __: ReadTopic) -> None:
    """The default hook: most projections follow from the service's inputs alone."""


@dataclass(frozen=True)
class Rebuild(Generic[W]):
    """A service's projections: from which topics they are built, and how.

    `module` (`package.module`) has the declaration as `REBUILD`; building processes import it from there.
    On the connection that the hooks get, `public.<table>` is the running table and `<table>` the new one.
    """

    module: str
    service: str
    inputs: tuple[Topic, ...]
    migrations: Path
    builder: Callable[[Directory], Builder[W]]
    tables: Mapping[str, str]
    """The projections: each table with the query that compares it with the running one, see `Difference`."""
    losses: frozenset[str] = frozenset()
    """Tables of which a missing row means that the topics no longer have its records."""
    immutable: frozenset[str] = frozenset()
    """Tables of which no row may change or go; otherwise nothing is switched."""
    directory: Mapping[type[Body], Topic] = field(default_factory=dict)
    skip_dead_letters: bool = False
    """Whether records among the service's dead letters are skipped, so that only a replay handles them."""
    prepare: Callable[[Connection], Awaitable[None]] = _nothing
    """Called on the empty tables, before records are read."""
    complete: Callable[[Connection, ReadTopic], Awaitable[None]] = _nothing_else
    """Called after the bulk, to add what follows from other topics."""
    carry_over: Callable[[Connection], Awaitable[None]] = _nothing
    """Called before comparing, at the same progress, to copy rows from the running tables."""


@dataclass(frozen=True, slots=True)
class Difference:
    """How many rows of a new table differ from the running one at the same progress.

    The comparing query returns one row with these columns, without `table`.
    """

    table: str
    rows: int
    added: int
    changed: int
    gone: int

    @property
    def any(self) -> bool:
        """Whether any row differs."""
        return bool(self.added or self.changed or self.gone)
