"""Audit records of what operators did: to dead letters, projections, progress, people's data, old months."""

from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from schemas.base import Body, Name, PatientId, Text, UtcDatetime
from schemas.numbers import WHOLE

Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_.]{0,63}$")]
"""A code of this project; not an enum, because earlier readers would refuse a new value."""

LetterName = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,5}:[0-9]{1,19}$")]
"""`partition:offset` of a dead letter."""

Rows = Annotated[int, Field(ge=0), WHOLE]


class OperatorAction(Body):
    """An operator inspected a dead letter, replayed it or dropped it. None of its content is here.

    `landed` is where a replay wrote the record, as `topic:partition:offset`. A replay is recorded twice:
    `asked` before the record is sent, then its result.
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
    """An operator let a service continue with another Kafka cluster, or with one that lost records.

    Recorded twice: `asked` before positions change, then `accepted`. An `asked` alone was interrupted.
    `cluster` is the id of the cluster to continue with, `partitions` how many restart at their beginning.
    """

    TYPE: ClassVar[str] = "operator.progress.v1"

    cluster: Name
    partitions: Annotated[int, Field(ge=0), WHOLE]


class OperatorRebuild(_ServiceAction):
    """An operator rebuilt a service's projections from the topics and switched to them.

    Recorded twice: `asked` before the rebuild, then its result. An `asked` alone was interrupted.
    `added`, `changed` and `gone` count rows of all its tables, compared with the projections before.
    """

    TYPE: ClassVar[str] = "operator.rebuild.v1"

    accept_loss: bool
    added: Rows | None = None
    changed: Rows | None = None
    gone: Rows | None = None


class OperatorErasure(_ServiceAction):
    """An operator erased who a pseudonym is.

    Recorded twice: `asked` before anything is deleted, then `erased`. An `asked` alone was interrupted.
    """

    TYPE: ClassVar[str] = "operator.erasure.v1"

    patient: PatientId


class OperatorParts(_ServiceAction):
    """An operator took old months, those before `before`, out of a service's tables.

    Recorded twice: `asked` before anything is detached, then `detached`. An `asked` alone was interrupted.
    `before` is a month in UTC, `parts` the number of parts of tables.
    """

    TYPE: ClassVar[str] = "operator.parts.v1"

    before: Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$")]
    parts: Rows
