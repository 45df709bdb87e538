"""The steps of the loop, by name, and a hook at each: fault tests end the process there.

In production the hook is a function that does nothing, called some ten times per batch.
"""

from collections.abc import Callable
from enum import StrEnum


class Failpoint(StrEnum):
    """A place in the loop, in the order in which a batch passes them.

    What it published is dropped with a batch that comes after it, or by itself when none comes.
    """

    BEFORE_POLL = "before poll"
    AFTER_POLL = "after poll"
    BEFORE_DECIDE = "before decide"
    AFTER_DECIDE = "after decide"
    BEFORE_COMMIT = "before commit"
    AFTER_COMMIT = "after commit"
    BEFORE_PUBLISH = "before publish"
    AFTER_PUBLISH = "after publish"
    BEFORE_DROP = "before drop"
    AFTER_DROP = "after drop"
    BEFORE_KAFKA_COMMIT = "before commit to Kafka"
    AFTER_KAFKA_COMMIT = "after commit to Kafka"


Reached = Callable[[Failpoint], None]


def pass_by(_: Failpoint) -> None:
    """What happens at a step in production."""
