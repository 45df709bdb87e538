"""What a service gives the loop: how to load, decide and save."""

from collections.abc import Sequence
from typing import Any, Protocol, TypeVar

import msgspec

from runtime.messages.message import Message, Outgoing, Timer
from runtime.postgres.connection import Connection
from runtime.postgres.statements import Writes

W = TypeVar("W")


class Done(msgspec.Struct, frozen=True):
    """A message was handled: publish `records` in this order, set `timers`, delete `cancelled` ones by id."""

    records: tuple[Outgoing, ...] = ()
    timers: tuple[Timer, ...] = ()
    cancelled: tuple[str, ...] = ()


class Rejected(msgspec.Struct, frozen=True):
    """A well-formed message that cannot be carried out: it becomes a dead letter with this reason code."""

    reason: str
    detail: str = ""


class Decider(Protocol[W]):
    """Decides the messages of one batch; `W` is its unit of work."""

    async def load(self, db: Connection, messages: Sequence[Message[Any]]) -> W:
        """Load the states that these messages need, with as few queries as possible."""

    def handle(self, message: Message[Any], work: W) -> Done | Rejected:
        """Decide one message and keep the next states in `work`.

        No I/O, no clock, no random ids. After an exception the loop discards `work`.
        """


class Handler(Decider[W], Protocol):
    """A service's part of the loop."""

    def save(self, work: W, writes: Writes) -> None:
        """Add the states of `work` to `writes`, without I/O; they are saved together with the progress."""
