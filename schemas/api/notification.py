"""Bodies of notification's API: a patient's inbox."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from schemas.base import OrderId, UtcDatetime
from schemas.records.notifications import Kind


class BothLanguages(BaseModel):
    """The same text in Dutch and in English."""

    nl: str
    en: str


class PickupPharmacy(BaseModel):
    """The pharmacy where the patient collects, as in the message."""

    agb: str
    name: str
    address: str
    city: str
    phone: str


class PickupView(BaseModel):
    """The pickup window and the pharmacy, as in the message; times have the Europe/Amsterdam offset."""

    model_config = ConfigDict(validate_by_name=True)

    from_: datetime = Field(alias="from")
    until: datetime
    pharmacy: PickupPharmacy


class MessageView(BaseModel):
    """One message; its text never changes after it was sent.

    `read_at` (UTC) is when the patient, or who stands in, first read it.
    """

    message_id: UUID
    order_id: OrderId
    kind: Kind
    at: UtcDatetime
    subject: BothLanguages
    text: BothLanguages
    pickup: PickupView | None
    read_at: UtcDatetime | None


class MessagesView(BaseModel):
    """A page of an inbox, newest first; pass the last `message_id` as `before` for the next page.

    `unread` counts the whole inbox, not only the page.
    """

    messages: list[MessageView]
    unread: int


class MessageArrived(BaseModel):
    """Data of an event `message`: a message about an order can be read in the inbox."""

    message_id: UUID
    order_id: OrderId
