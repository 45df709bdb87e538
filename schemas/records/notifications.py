"""Messages to patients, and pickup windows promised to them."""

from enum import StrEnum
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from schemas.base import (
    Body,
    LineNumber,
    LocalDatetime,
    Many,
    Name,
    OrderId,
    PatientId,
    PharmacyAgb,
    PracticeAgb,
    Text,
    UtcDatetime,
)

Medium = Literal["inbox", "email", "sms", "push"]


class Kind(StrEnum):
    """The kinds of message; also the names of their templates."""

    ORDER_ANSWER = "order-answer"
    LINE_ANSWER = "line-answer"
    ORDER_CANCELLED = "order-cancelled"


class _Pickup(Body):
    # `from` is a Python keyword, so the attribute is `from_`; in the record it is `from`.
    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", validate_by_name=True)

    order_id: OrderId
    patient: PatientId
    practice: PracticeAgb
    pharmacy: PharmacyAgb
    lines: Many[LineNumber]
    from_: Annotated[LocalDatetime, Field(alias="from")]
    until: LocalDatetime
    rule: Text


class PickupPromised(_Pickup):
    """A pickup window promised to a patient, in Europe/Amsterdam time; `rule` is the processing rule used."""

    TYPE: ClassVar[str] = "pickup.promised.v1"

    promised_at: UtcDatetime


class PickupMoved(_Pickup):
    """A promise that is replaced by another."""

    TYPE: ClassVar[str] = "pickup.moved.v1"

    moved_at: UtcDatetime
    reason: Text


class _Message(Body):
    """`practice` and `pharmacy` are the order's; None only in records from before they were named."""

    message_id: UUID
    order_id: OrderId
    patient: PatientId
    medium: Medium
    template: Name
    language: Literal["nl", "en", "both"]
    at: UtcDatetime
    practice: PracticeAgb | None = None
    pharmacy: PharmacyAgb | None = None


class MessageQueued(_Message):
    """A message is to be delivered."""

    TYPE: ClassVar[str] = "message.queued.v1"


class MessageSent(_Message):
    """A message was handed to its medium; for `inbox`, the patient can read it from now on."""

    TYPE: ClassVar[str] = "message.sent.v1"


class MessageFailed(_Message):
    """A message could not be delivered; `cause` is a code, never an address or a text."""

    TYPE: ClassVar[str] = "message.failed.v1"

    cause: Name


class PatientContacts(Body):
    """How a patient wants to be reached; `addresses` are encrypted, by medium."""

    TYPE: ClassVar[str] = "patient.contacts.v1"

    patient: PatientId
    language: Literal["nl", "en"] = "nl"
    media: Many[Medium] = ("inbox",)
    addresses: dict[Medium, Text] = Field(default_factory=dict)
    practice: PracticeAgb | None = None
    pharmacy: PharmacyAgb | None = None
    consent: bool = False
