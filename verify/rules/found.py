"""What a rule yields."""

from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeAlias

from verify.facts import Facts
from verify.read import Fact
from verify.rows import Rec


class Found(NamedTuple):
    """One thing that breaks a rule: what is wrong, and where; ids only, never content."""

    what: str
    where: str


Rule: TypeAlias = Callable[[Facts], Iterator[Found]]


def at(message: Fact) -> str:
    """Where a message is, such as `orders.events-3@120`."""
    return f"{message.topic}-{message.partition}@{message.offset}"


def on(record: Rec) -> str:
    """Where a record is, such as `orders.events-3@120`."""
    return record.where
