"""A part of a page whose service does not answer: the part says so, and the rest works."""

from collections.abc import Awaitable
from typing import TypeVar

from herhaal_client import NotFound, Unavailable

T = TypeVar("T")


class Away:
    """In place of what a service would have said."""


AWAY = Away()


async def unless_away(asked: Awaitable[T]) -> T | Away:
    """What a service says, or `AWAY`."""
    try:
        return await asked
    except Unavailable:
        return AWAY


async def or_none(asked: Awaitable[T]) -> T | None:
    """What a service says, or None for what does not exist."""
    try:
        return await asked
    except NotFound:
        return None


def is_away(value: object) -> bool:
    """Tell whether a service did not answer."""
    return isinstance(value, Away)
