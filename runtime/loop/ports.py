"""The loop's port to the service's database.

`runtime/postgres/store.py` implements it. `tests/integration/test_store_contract.py` tests that
implementation and the fake. While the database is unavailable, all methods raise errors for which
`errors.is_transient` is true.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from aiokafka import TopicPartition

from runtime.messages.positions import Assigned, Changes, Claim, Fired, OutboxRow, Published
from runtime.postgres.connection import Connection
from runtime.postgres.statements import Writes


class Session(Protocol):
    """A database connection, held for one batch."""

    @property
    def db(self) -> Connection:
        """The connection for the service's `load`."""

    async def save(
        self, changes: Changes, writes: Writes, before_commit: Callable[[], None] = lambda: None
    ) -> Sequence[int]:
        """Save everything in one transaction; returns the ids of the new outbox rows.

        Raises:
            Fenced: a claim no longer holds. Nothing was saved.
            Outdated: loaded rows have changed since. Nothing was saved.
        """


class ProgressStore(Protocol):
    """Positions, the service's state that belongs to them, and timers."""

    def assigning(
        self, cluster: str, earliest: Mapping[TopicPartition, int]
    ) -> AbstractAsyncContextManager[Assigned]:
        """Raise the epochs of these partitions when the body ends: older epochs are fenced from then on.

        When the body raises, nothing is changed. A partition's first assignment begins at its `earliest` offset
        with epoch 1. The first `cluster` is stored as the one that the offsets belong to.
        """

    def session(self) -> AbstractAsyncContextManager[Session]:
        """Acquire a connection for one batch."""

    async def any_due(self, partitions: Iterable[int]) -> bool:
        """Whether a timer of these partitions is due by the database's clock."""

    async def fire(self, partitions: Iterable[int], claims: Sequence[Claim]) -> Fired:
        """Move due timers of these partitions to the outbox, earliest first. Empty when none is due.

        Raises:
            Fenced: a claim no longer holds. Nothing was moved.
        """


class Outbox(Protocol):
    """Saved records that are not yet acknowledged."""

    async def leftovers(self, partitions: Iterable[int], at_most: int) -> Sequence[OutboxRow]:
        """Return the oldest rows of these partitions, oldest first."""

    async def drop(self, published: Sequence[Published]) -> None:
        """Delete published rows, and advance the stored offset of the output topic to the acknowledged one.

        The offset never decreases. A crash of the database may undo this.
        """

    async def has_stale(self, partitions: Iterable[int], age_s: float) -> bool:
        """Whether a row of these partitions is older than `age_s` seconds."""


class Store(ProgressStore, Outbox, Protocol):
    """The progress store and outbox of one database."""
