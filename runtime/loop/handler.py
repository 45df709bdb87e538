"""The handler interface of a service: load, handle, save."""

from collections.abc import Sequence
from typing import Any, Protocol, TypeVar

import msgspec

from runtime.messages.message import Message, Outgoing, Timer
from runtime.postgres.connection import Connection
from runtime.postgres.statements import Writes

W = TypeVar("W")


class Done(msgspec.Struct, frozen=True):
    """Handled: publish `records` in order, set `timers`, delete the timers with `cancelled` ids."""

    records: tuple[Outgoing, ...] = ()
    timers: tuple[Timer, ...] = ()
    cancelled: tuple[str, ...] = ()


class Rejected(msgspec.Struct, frozen=True):
    """Well-formed but impossible to handle: the record becomes a dead letter with this reason code."""

    reason: str
    detail: str = ""


class Decider(Protocol[W]):
    """Loads and handles the messages of one batch; `W` is its unit of work."""

    async def load(self, db: Connection, messages: Sequence[Message[Any]]) -> W:
        """Load the state that these messages need, in as few queries as possible."""

    def handle(self, message: Message[Any], work: W) -> Done | Rejected:
        """Handle one message and keep the new state in `work`.

        Pure: no I/O, no clock, no random ids. After an exception the loop discards `work`.
        """


class Handler(Decider[W], Protocol):
    """A service's part of the loop."""

    def save(self, work: W, writes: Writes) -> None:
        """Add the statements that save `work` to `writes`, without I/O. They run with the positions' update."""
