"""What the loop needs of the service's database, in the loop's terms.

`runtime/postgres/store.py` has it on PostgreSQL.

`tests/integration/test_store_contract.py` says what each method promises, of PostgreSQL and of the fake.
All methods raise what `failures.is_transient` is true of while the database is away.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from aiokafka import TopicPartition

from runtime.messages.positions import Changes, Claim, Fired, Published, Stored, Taken
from runtime.postgres.connection import Connection
from runtime.postgres.statements import Writes


class Session(Protocol):
    """A connection to the database, held for one batch."""

    @property
    def db(self) -> Connection:
        """What the service's handler loads from."""

    async def save(
        self, changes: Changes, writes: Writes, before_commit: Callable[[], None] = lambda: None
    ) -> Sequence[int]:
        """Save all of it or nothing; the ids of the new outbox rows.

        Raises:
            Fenced: a claim no longer holds. Nothing was saved.
            Outdated: what was loaded has changed since. Nothing was saved.
        """


class ProgressStore(Protocol):
    """Stored offsets, the states that belong to them, and timers."""

    def taking(
        self, cluster: str, earliest: Mapping[TopicPartition, int]
    ) -> AbstractAsyncContextManager[Taken]:
        """Take partitions at the end of the body: from then on every older epoch is fenced off.

        When the body raises, nothing is changed. A partition that is taken for the first time begins at its
        `earliest` offset with epoch 1. The first `cluster` is the one that the stored offsets belong to.
        """

    def session(self) -> AbstractAsyncContextManager[Session]:
        """A connection for one batch."""

    async def any_due(self, partitions: Iterable[int]) -> bool:
        """Whether a timer of these partitions is due, by the database's clock."""

    async def fire(self, partitions: Iterable[int], claims: Sequence[Claim]) -> Fired:
        """Move due timers of these partitions to the outbox, the earliest first; empty when none is due.

        Raises:
            Fenced: a claim no longer holds. Nothing was moved.
        """


class Outbox(Protocol):
    """Records that are saved and perhaps not published yet."""

    async def leftovers(self, partitions: Iterable[int], at_most: int) -> Sequence[Stored]:
        """The oldest rows of these partitions, oldest first."""

    async def drop(self, published: Sequence[Published]) -> None:
        """Delete published rows, and move the offset of the output topic to what Kafka acknowledged.

        The offset never moves back. A crash of the database may undo it.
        """

    async def has_stale(self, partitions: Iterable[int], age_s: float) -> bool:
        """Whether a row of these partitions is older than so many seconds."""


class Store(ProgressStore, Outbox, Protocol):
    """Progress and outbox of one database."""
