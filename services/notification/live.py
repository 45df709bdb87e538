"""What notification tells as it happens: that a message can be read."""

from runtime.live import Live
from runtime.messages.recent import LiveEvent
from schemas.access import Action
from schemas.api.notification import MessageArrived
from schemas.base import Body
from schemas.records.notifications import MessageSent
from services.notification.handlers import OUTPUT_TOPIC

EVENT = "message"


def message_arrived(body: Body) -> LiveEvent | None:
    """Tell of a message once it is in the inbox."""
    match body:
        case MessageSent(medium="inbox"):
            arrived = MessageArrived(message_id=body.message_id, order_id=body.order_id)
            data = arrived.model_dump_json().encode()
            return LiveEvent(EVENT, data, body.practice, body.pharmacy)
        case _:
            return None


LIVE = Live(OUTPUT_TOPIC, Action.MESSAGES_READ, EVENT, message_arrived, MessageArrived)
