"""What a service says of its projections, so that they can be built anew."""

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
"""The newest bodies of compacted topics by key, as they are when the rebuild begins."""

ReadTopic: TypeAlias = Callable[[Topic], AsyncIterator[Sequence[Message[Any]]]]
"""Everything that can be read on a topic, from its beginning to its end of now, a batch at a time."""


class Builder(Decider[W], Protocol):
    """Decides as the service does, for a rebuild: what it returns to be published is thrown away."""

    async def write(self, db: Connection, work: W) -> None:
        """Write the states noted in `work`, or hold them back, inside the transaction of the progress."""

    async def settle(self, db: Connection) -> None:
        """Write what `write` held back; afterwards the tables are those of the progress."""


async def _nothing(_: Connection) -> None:
    """Most projections have nothing of their own to do."""


async def _nothing_else(_: Connection, __: ReadTopic) -> None:
    """Most projections follow from the service's inputs alone."""


@dataclass(frozen=True)
class Rebuild(Generic[W]):
    """A service's projections: which topics they follow from, and how.

    `module` is where the declaration is, as `package.module`: processes of their own look it up there
    under the name `REBUILD`. The hooks get a connection on which the tables being built have their
    ordinary names, and the running ones theirs with `public.` before.
    """

    module: str
    service: str
    inputs: tuple[Topic, ...]
    migrations: Path
    builder: Callable[[Directory], Builder[W]]
    tables: Mapping[str, str]
    """The projections: each table with the query that compares it, see `Difference`."""
    losses: frozenset[str] = frozenset()
    """Tables of which a row that is gone means that the topics no longer tell of it."""
    kept: frozenset[str] = frozenset()
    """Tables of which no row may change or go; a rebuild that would is given up."""
    directory: Mapping[type[Body], Topic] = field(default_factory=dict)
    leaves_letters: bool = False
    """Whether records among the service's dead letters are left to a replay, and not taken again."""
    prepare: Callable[[Connection], Awaitable[None]] = _nothing
    """Before anything is read, on the empty tables."""
    complete: Callable[[Connection, ReadTopic], Awaitable[None]] = _nothing_else
    """Once the bulk is built: what follows from other topics."""
    keep: Callable[[Connection], Awaitable[None]] = _nothing
    """Take over what stays of the running tables; both are of the same progress."""


@dataclass(frozen=True, slots=True)
class Difference:
    """How a table that was built differs from the running one at the same progress, in rows.

    Its query gives one row with these columns but the first.
    """

    table: str
    rows: int
    added: int
    changed: int
    gone: int

    @property
    def any(self) -> bool:
        """Whether there is one."""
        return bool(self.added or self.changed or self.gone)
