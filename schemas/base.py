"""The vocabulary that all records share: identifiers, times, actors.

Times in records are UTC; a pickup window, which a person reads, keeps the Europe/Amsterdam offset.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal, ParamSpec, TypeVar, cast
from uuid import UUID

from msgspec import Struct, defstruct
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    FailFast,
    Field,
    StringConstraints,
)
from pydantic.fields import FieldInfo

TYPE_PREFIX = "nl.herhaal."


def _to_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("the time lies outside the calendar once it is UTC") from None


# PostgreSQL cannot store U+0000 in text, so no record may carry it.
_NO_NUL = r"^[^\x00]*$"

PatientId = Annotated[str, StringConstraints(pattern=r"^pat_[A-Za-z0-9_-]{4,64}$")]
PracticeAgb = Annotated[str, StringConstraints(pattern=r"^01[0-9]{6}$")]
PharmacyAgb = Annotated[str, StringConstraints(pattern=r"^02[0-9]{6}$")]
Prk = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,8}$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_NO_NUL)]
Text = Annotated[str, StringConstraints(max_length=2000, pattern=_NO_NUL)]
Quantity = Annotated[int, Field(ge=1, le=100_000)]
LineNumber = Annotated[int, Field(ge=1, le=99)]
# PostgreSQL keeps versions in an `int`.
Version = Annotated[int, Field(ge=1, le=2_147_483_647)]
UtcDatetime = Annotated[AwareDatetime, AfterValidator(_to_utc)]
LocalDatetime = AwareDatetime

OrderId = UUID

T = TypeVar("T")

Many = Annotated[tuple[T, ...], FailFast()]
"""A list that is refused at its first bad item: a megabyte of bad ones took 19 s to explain."""


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


class Model(BaseModel):
    """A part of a record. Unknown fields are ignored, so a newer writer does not stop an older reader."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")


class Body(Model):
    """The JSON body of a record; `TYPE` is its CloudEvents type without the prefix.

    `KEY` names the field that the record's Kafka key must equal.
    """

    TYPE: ClassVar[str]
    KEY: ClassVar[str] = "patient"

    @classmethod
    def ce_type(cls) -> str:
        """The CloudEvents type, such as `nl.herhaal.order.place.v1`."""
        return TYPE_PREFIX + cls.TYPE


P = ParamSpec("P")
M = TypeVar("M", bound=Model)


def trusted(model: Callable[P, M]) -> Callable[P, M]:
    """A constructor of what our own typed code says: it validates nothing, and takes arguments by name.

    It makes structs with the fields of `model` and what a record's body tells of itself, which are made and
    written in C. They are for writing: not instances of the model, and equal to structs of their kind only.
    """
    assert isinstance(model, type)
    assert issubclass(model, Model)
    known: Any = model
    fields = known.model_fields
    written_as = {name: field.alias for name, field in fields.items() if field.alias}
    told = {"TYPE": known.TYPE, "KEY": known.KEY} if issubclass(known, Body) else {}
    made: Any = defstruct(
        known.__name__,
        [_struct_field(name, field) for name, field in fields.items()],
        bases=(_Trusted,),
        namespace=told,
        rename=written_as,
        frozen=True,
        kw_only=True,
        gc=False,
    )
    return cast(Callable[P, M], made)


class _Trusted(Struct, frozen=True, gc=False):
    TYPE: ClassVar[str]

    @classmethod
    def ce_type(cls) -> str:
        return TYPE_PREFIX + cls.TYPE


def _struct_field(name: str, field: FieldInfo) -> tuple[str, Any] | tuple[str, Any, Any]:
    if field.is_required():
        return name, Any
    # A list or mapping that is made anew each time is so for a struct as well: msgspec copies empty ones.
    return name, Any, field.get_default(call_default_factory=True, validated_data={})


class Actor(Model):
    """Who acted: a role and an opaque identifier within that role, never a name."""

    role: Role
    id: Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=_NO_NUL)]


class PlacedBy(Model):
    """Who placed an order."""

    role: Literal[Role.PATIENT, Role.PROXY, Role.ASSISTANT]
    id: Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=_NO_NUL)]
