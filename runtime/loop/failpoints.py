"""Failpoints: named steps of the loop at which a fault test can end the process.

The loop calls a hook at each one, some ten times per batch. In production the hook does nothing.
"""

from collections.abc import Callable
from enum import StrEnum


class Failpoint(StrEnum):
    """Steps in the order in which a batch reaches them.

    Published outbox rows are dropped with a later batch, or on their own if none comes.
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


FailpointHook = Callable[[Failpoint], None]


def ignore_failpoint(_: Failpoint) -> None:
    """Do nothing: the hook in production."""
