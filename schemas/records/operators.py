"""What operators did to records, projections and progress, kept so that it can be asked about for years."""

from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from schemas.base import Body, Name, Text, UtcDatetime

Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_.]{0,63}$")]
"""A word of ours; not an enum, as earlier readers would refuse a new value."""

LetterName = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,5}:[0-9]{1,19}$")]
"""`partition:offset` of a dead letter."""

Rows = Annotated[int, Field(ge=0)]


class OperatorAction(Body):
    """An operator looked into a dead letter, replayed it or dropped it; nothing of its content is here.

    `landed` is where a replay put the record, as `topic:partition:offset`. A replay is written twice:
    `asked` before the record is sent, then what became of it.
    """

    TYPE: ClassVar[str] = "operator.action.v1"
    KEY: ClassVar[str] = "service"

    action: Code
    service: Code
    letter: LetterName
    by: Name
    why: Text
    at: UtcDatetime
    result: Code
    landed: Name | None = None


class _ServiceAction(Body):
    KEY: ClassVar[str] = "service"

    service: Code
    by: Name
    why: Text
    at: UtcDatetime
    result: Code


class OperatorProgress(_ServiceAction):
    """An operator let a service go on with a Kafka that is not the one that it knew, or not all of it.

    Written twice: `asked` before anything is moved, then `accepted`; an `asked` alone was broken off.
    `cluster` is the id of the Kafka that it goes on with, `partitions` how many start at their beginning.
    """

    TYPE: ClassVar[str] = "operator.progress.v1"

    cluster: Name
    partitions: Annotated[int, Field(ge=0)]


class OperatorRebuild(_ServiceAction):
    """An operator had a service's projections built anew from the topics and switched in.

    Written twice: `asked` before anything is built, then what came of it; an `asked` alone was broken
    off. `added`, `changed` and `gone` are rows of all its tables, compared with those that ran before.
    """

    TYPE: ClassVar[str] = "operator.rebuild.v1"

    accept_loss: bool
    added: Rows | None = None
    changed: Rows | None = None
    gone: Rows | None = None
