"""What notification's API shows: a patient's inbox."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from schemas.base import OrderId, UtcDatetime
from services.notification.domain.messages import Answer, Kind, PharmacyContact
from services.notification.store import StoredMessage
from services.notification.texts import Texts


class BothLanguages(BaseModel):
    """The same in Dutch and in English."""

    nl: str
    en: str


class PickupPharmacy(BaseModel):
    """Where to collect, as it was told."""

    agb: str
    name: str
    address: str
    city: str
    phone: str


class PickupView(BaseModel):
    """When and where to collect, as it was told; times with the Europe/Amsterdam offset."""

    model_config = ConfigDict(validate_by_name=True)

    from_: datetime = Field(alias="from")
    until: datetime
    pharmacy: PickupPharmacy


class MessageView(BaseModel):
    """One message, as it was told."""

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


def message_view(message: StoredMessage, texts: Texts) -> MessageView:
    """A message as the API shows it."""
    nl = texts.render(message.kind, message.template_version, message.facts, "nl")
    en = texts.render(message.kind, message.template_version, message.facts, "en")
    return MessageView(
        message_id=message.message_id,
        order_id=message.order_id,
        kind=message.kind,
        at=message.at,
        subject=BothLanguages(nl=nl.subject, en=en.subject),
        text=BothLanguages(nl=nl.body, en=en.body),
        pickup=_pickup(message),
    )


def _pickup(message: StoredMessage) -> PickupView | None:
    facts = message.facts
    if not isinstance(facts, Answer) or facts.window is None or facts.pharmacy is None:
        return None
    return PickupView(
        from_=facts.window.start, until=facts.window.until, pharmacy=_place(facts.pharmacy)
    )


def _place(told: PharmacyContact) -> PickupPharmacy:
    return PickupPharmacy(
        agb=told.agb, name=told.name, address=told.address, city=told.city, phone=told.phone
    )
