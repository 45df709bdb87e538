"""The types that all records share: identifiers, times, actors.

Times in records are UTC, except a pickup window, which keeps the Europe/Amsterdam offset.
"""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal, TypeVar
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    FailFast,
    Field,
    StringConstraints,
)
from pydantic._internal._model_construction import ModelMetaclass

TYPE_PREFIX = "nl.herhaal."


def to_utc(moment: datetime) -> datetime:
    """Convert to UTC. Raises ValueError when the result lies outside the calendar."""
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("the time lies outside the calendar once it is UTC") from None


# PostgreSQL cannot store U+0000 in text, so no record may contain it.
NO_NUL = r"^[^\x00]*$"

TRACEPARENT = r"^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$"
"""W3C trace context, version 00, in a header of a record or a request."""

PatientId = Annotated[str, StringConstraints(pattern=r"^pat_[A-Za-z0-9_-]{4,64}$")]
PracticeAgb = Annotated[str, StringConstraints(pattern=r"^01[0-9]{6}$")]
PharmacyAgb = Annotated[str, StringConstraints(pattern=r"^02[0-9]{6}$")]
Prk = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,8}$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=NO_NUL)]
Text = Annotated[str, StringConstraints(max_length=2000, pattern=NO_NUL)]
Quantity = Annotated[int, Field(ge=1, le=100_000)]
LineNumber = Annotated[int, Field(ge=1, le=99)]
# PostgreSQL stores versions in an `int`.
Version = Annotated[int, Field(ge=1, le=2_147_483_647)]
UtcDatetime = Annotated[AwareDatetime, AfterValidator(to_utc)]
LocalDatetime = AwareDatetime

OrderId = UUID

T = TypeVar("T")

Many = Annotated[tuple[T, ...], FailFast()]
"""A list that is refused at its first invalid item: reporting a megabyte of them took 19 s."""


class Channel(StrEnum):
    """How an order reached the practice."""

    PORTAL = "portal"
    RECEPTENLIJN = "receptenlijn"
    COUNTER = "counter"
    E_CONSULT = "e_consult"
    REPEAT_SERVICE = "repeat_service"


class Role(StrEnum):
    """Who did something; `policy` is the practice's own rule, `system` a timer or a sweep."""

    PATIENT = "patient"
    PROXY = "proxy"
    ASSISTANT = "assistant"
    GP = "gp"
    PHARMACY = "pharmacy"
    POLICY = "policy"
    SYSTEM = "system"


class _RecordType(ModelMetaclass):
    """Makes a struct of `schemas.trusted` count as an instance of its model."""

    def __instancecheck__(cls, instance: Any) -> bool:
        model = getattr(type(instance), "MODEL", None)
        return super().__instancecheck__(instance) if model is None else issubclass(model, cls)


class Model(BaseModel, metaclass=_RecordType):
    """A part of a record. Unknown fields are ignored, so that older readers accept records of newer writers."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")


class Body(Model):
    """The JSON body of a record; `TYPE` is its CloudEvents type without the prefix.

    `KEY` names the field whose value is the record's Kafka key.
    """

    TYPE: ClassVar[str]
    KEY: ClassVar[str] = "patient"

    @classmethod
    def ce_type(cls) -> str:
        """The CloudEvents type, such as `nl.herhaal.order.place.v1`."""
        return TYPE_PREFIX + cls.TYPE


class Actor(Model):
    """Who acted: a role and an opaque identifier within that role, never a name."""

    role: Role
    id: Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=NO_NUL)]


class PlacedBy(Model):
    """Who placed an order."""

    role: Literal[Role.PATIENT, Role.PROXY, Role.ASSISTANT]
    id: Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=NO_NUL)]
