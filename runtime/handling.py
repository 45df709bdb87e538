"""What a service tells the loop: how to load, decide and save."""

from collections.abc import Sequence
from typing import Any, Protocol, TypeAlias, TypeVar

import asyncpg
import msgspec

from runtime.records import Message, Outgoing, Timer

Connection: TypeAlias = "asyncpg.Connection[Any] | asyncpg.pool.PoolConnectionProxy[Any]"

W = TypeVar("W")


class Done(msgspec.Struct, frozen=True):
    """A message was handled: publish `records` in this order, set `timers`, drop `cancelled` ones."""

    records: tuple[Outgoing, ...] = ()
    timers: tuple[Timer, ...] = ()
    cancelled: tuple[str, ...] = ()


class Rejected(msgspec.Struct, frozen=True):
    """A well-formed message that cannot be carried out; it becomes a dead letter with this code."""

    reason: str
    detail: str = ""


class Handler(Protocol[W]):
    """A service's own part of the loop; `W` is the unit of work of one batch."""

    async def load(self, db: Connection, messages: Sequence[Message[Any]]) -> W:
        """Fetch the states that these messages need, in one query per kind of state."""

    def handle(self, message: Message[Any], work: W) -> Done | Rejected:
        """Decide one message and note the next states in `work`.

        No I/O, no clock, no random ids. After an exception the loop throws `work` away.
        """

    async def save(self, db: Connection, work: W) -> None:
        """Write the states noted in `work`, inside the transaction that also holds the progress."""
