"""Bodies of notification's API: a patient's inbox."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from schemas.base import OrderId, UtcDatetime
from schemas.records.notifications import Kind


class BothLanguages(BaseModel):
    """The same in Dutch and in English."""

    nl: str
    en: str


class PickupPharmacy(BaseModel):
    """Where to collect, as the message said."""

    agb: str
    name: str
    address: str
    city: str
    phone: str


class PickupView(BaseModel):
    """When and where to collect, as the message said; times with the Europe/Amsterdam offset."""

    model_config = ConfigDict(validate_by_name=True)

    from_: datetime = Field(alias="from")
    until: datetime
    pharmacy: PickupPharmacy


class MessageView(BaseModel):
    """One message, in the words of when it was written."""

    message_id: UUID
    order_id: OrderId
    kind: Kind
    at: UtcDatetime
    subject: BothLanguages
    text: BothLanguages
    pickup: PickupView | None


class MessagesView(BaseModel):
    """A page of an inbox, newest first; pass the last `message_id` as `before` to read on."""

    messages: list[MessageView]
