"""What ordering tells as it happens: that something happened to an order."""

from runtime.live import Live
from runtime.messages.recent import LiveEvent
from schemas.access import Action
from schemas.api.ordering import OrderChanged
from schemas.records.orders import OrderEvent
from services.ordering.handlers import OUTPUT_TOPIC

EVENT = "order"


def order_changed(event: OrderEvent) -> LiveEvent:
    """Tell of every event of an order."""
    changed = OrderChanged(order_id=event.order_id, seq=event.seq)
    return LiveEvent(EVENT, changed.model_dump_json().encode(), event.practice, event.pharmacy)


LIVE = Live(OUTPUT_TOPIC, Action.ORDERS_READ, EVENT, order_changed, OrderChanged)
