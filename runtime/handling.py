"""What a service tells the loop: how to load, decide and save."""

from collections.abc import Sequence
from typing import Any, Protocol, TypeVar

import msgspec

from runtime.connection import Connection
from runtime.records import Message, Outgoing, Timer
from runtime.writes import Writes

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


class Decider(Protocol[W]):
    """Decides the messages of one batch; `W` is its unit of work."""

    async def load(self, db: Connection, messages: Sequence[Message[Any]]) -> W:
        """Fetch the states that these messages need, in one query per kind of state."""

    def handle(self, message: Message[Any], work: W) -> Done | Rejected:
        """Decide one message and note the next states in `work`.

        No I/O, no clock, no random ids. After an exception the loop throws `work` away.
        """


class Handler(Decider[W], Protocol):
    """A service's own part of the loop."""

    def save(self, work: W, writes: Writes) -> None:
        """Put into `writes` the states noted in `work`; they are written together with the progress."""
