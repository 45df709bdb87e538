"""The types that all records share: identifiers, times, actors.

Times in records are UTC, except a pickup window, which keeps the Europe/Amsterdam offset.
"""

import re
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
from pydantic_core import PydanticCustomError, PydanticKnownError

from schemas.numbers import WHOLE

TYPE_PREFIX = "nl.herhaal."


def to_utc(moment: datetime) -> datetime:
    """Convert to UTC. Raises ValueError when the result lies outside the calendar."""
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("the time lies outside the calendar once it is UTC") from None


def _canonical(prk: str) -> str:
    """Strip leading zeros: files of the G-Standaard pad PRK codes to eight digits, messages do not."""
    return prk.lstrip("0") or "0"


def _not_empty(items: tuple[Any, ...]) -> tuple[Any, ...]:
    if not items:
        raise PydanticKnownError(
            "too_short", {"field_type": "Tuple", "min_length": 1, "actual_length": 0}
        )
    return items


# PostgreSQL cannot store U+0000 in text, so no record may contain it.
NO_NUL = r"^[^\x00]*$"

_INVISIBLE = (
    r"\s\x00-\x1f\x7f-\x9f\u00ad\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    r"\u3164\ufeff\uffa0"
)
_VISIBLE = re.compile(f"[^{_INVISIBLE}]")
_NOT_BLANK = rf"^[^\x00]*[^{_INVISIBLE}][^\x00]*$"


def is_blank(text: str) -> bool:
    """Tell whether a text has no character that people can see."""
    return not _VISIBLE.search(text)


def _not_blank(text: str) -> str:
    if is_blank(text):
        raise PydanticCustomError("blank", "must have a character that people can see")
    return text


# The pattern is for readers of the schema; its own error would be unreadable.
NOT_BLANK = (AfterValidator(_not_blank), Field(json_schema_extra={"pattern": _NOT_BLANK}))
"""At least one character that people can see: put it last in an annotation of a text without U+0000."""

TRACEPARENT = r"^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$"
"""W3C trace context, version 00, in a header of a record or a request."""

SYSTEM_NAME = r"^[a-z][a-z0-9-]{0,38}[a-z0-9]$"
SystemName = Annotated[str, StringConstraints(pattern=SYSTEM_NAME)]
"""A system's name in topics, groups and access lists: no dot, as a dot ends what an access list names."""
PATIENT_ID = r"^pat_[A-Za-z0-9_-]{4,64}$"
PatientId = Annotated[str, StringConstraints(pattern=PATIENT_ID)]
PracticeAgb = Annotated[str, StringConstraints(pattern=r"^01[0-9]{6}$")]
# A GP practice that dispenses itself (apotheekhoudend) does so under its own code, which starts with 01.
PharmacyAgb = Annotated[str, StringConstraints(pattern=r"^0[12][0-9]{6}$")]
Prk = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,8}$"), AfterValidator(_canonical)]
Atc = Annotated[
    str, StringConstraints(max_length=7, pattern=r"^[A-Z]([0-9]{2}([A-Z]([A-Z]([0-9]{2})?)?)?)?$")
]
"""A code of the ATC classification, or its first 1, 3, 4 or 5 characters: a group of substances."""
Name = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=NO_NUL), *NOT_BLANK]
ActorId = Annotated[
    str, StringConstraints(min_length=1, max_length=100, pattern=NO_NUL), *NOT_BLANK
]
LONGEST_TEXT = 2000
Text = Annotated[str, StringConstraints(max_length=LONGEST_TEXT, pattern=NO_NUL)]
LineNumber = Annotated[int, Field(ge=1, le=99), WHOLE]
# PostgreSQL stores versions in an `int`.
Version = Annotated[int, Field(ge=1, le=2_147_483_647), WHOLE]
UtcDatetime = Annotated[AwareDatetime, AfterValidator(to_utc)]
LocalDatetime = AwareDatetime

OrderId = UUID

T = TypeVar("T")

Many = Annotated[tuple[T, ...], FailFast()]
"""A list that is refused at its first invalid item: reporting a megabyte of them took 19 s."""

# `min_length` would count the items before the first invalid one, and report a list as too short as well.
NOT_EMPTY = (AfterValidator(_not_empty), Field(json_schema_extra={"minItems": 1}))


class Channel(StrEnum):
    """How an order reached the practice."""

    PORTAL = "portal"
    RECEPTENLIJN = "receptenlijn"
    COUNTER = "counter"
    E_CONSULT = "e_consult"
    REPEAT_SERVICE = "repeat_service"


class Reviewer(StrEnum):
    """Who is to decide a line in review."""

    ASSISTANT = "assistant"
    GP = "gp"
    PHARMACY = "pharmacy"


class Role(StrEnum):
    """Who did something; `policy` is the practice's own rule, `system` a timer or a sweep."""

    PATIENT = "patient"
    PROXY = "proxy"
    ASSISTANT = "assistant"
    GP = "gp"
    PHARMACY = "pharmacy"
    POLICY = "policy"
    SYSTEM = "system"


class RiskClass(StrEnum):
    """Who approves a repeat of a medicine."""

    A = "A"
    """A GP, at every repeat."""
    B = "B"
    """A GP, unless the practice opts out."""
    C = "C"
    """As the practice's policy says."""


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
    id: ActorId


class PlacedBy(Model):
    """Who placed an order."""

    role: Literal[Role.PATIENT, Role.PROXY, Role.ASSISTANT]
    id: ActorId
