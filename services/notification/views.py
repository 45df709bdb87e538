"""Response bodies of notification's API: a patient's inbox."""

from datetime import datetime

from schemas.api.notification import BothLanguages, MessageView, PickupPharmacy, PickupView
from services.notification.domain.messages import Answer, PharmacyContact
from services.notification.store import StoredMessage
from services.notification.texts import Texts


def message_view(message: StoredMessage, read_at: datetime | None, texts: Texts) -> MessageView:
    """The response body for a message that was read at this time (UTC), in both languages."""
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
        read_at=read_at,
    )


def _pickup(message: StoredMessage) -> PickupView | None:
    facts = message.facts
    if not isinstance(facts, Answer) or facts.window is None or facts.pharmacy is None:
        return None
    return PickupView(
        from_=facts.window.start, until=facts.window.until, pharmacy=_pharmacy(facts.pharmacy)
    )


def _pharmacy(fact: PharmacyContact) -> PickupPharmacy:
    return PickupPharmacy(
        agb=fact.agb, name=fact.name, address=fact.address, city=fact.city, phone=fact.phone
    )
