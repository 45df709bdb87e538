"""Response bodies of ordering's API: orders, and a pharmacy's feed."""

from collections.abc import Sequence

import orjson

from runtime.messages.message import Record
from schemas.api.ordering import FeedItem, OrderView
from schemas.records.orders import DecidedLine
from services.ordering.domain.order import Order
from services.ordering.envelopes import SOURCE


def feed_items(records: Sequence[Record]) -> list[FeedItem]:
    """The feed entries for those records of a pharmacy's topic that ordering wrote, each id once."""
    items: dict[str, FeedItem] = {}
    for record in records:
        headers = {name: (value or b"").decode(errors="replace") for name, value in record.headers}
        if headers.get("ce_source") == SOURCE and record.value is not None:
            items[headers["ce_id"]] = FeedItem(
                id=headers["ce_id"],
                type=headers["ce_type"],
                cursor=f"{record.offset + 1}",
                data=orjson.loads(record.value),
            )
    return [*items.values()]


def order_view(order: Order) -> OrderView:
    """The response body for an order."""
    return OrderView(
        order_id=order.order_id,
        state=order.state,
        patient=order.patient,
        practice=order.practice,
        pharmacy=order.pharmacy,
        channel=order.channel,
        placed_at=order.placed_at,
        seq=order.seq,
        lines=tuple(
            DecidedLine(
                line=line.number,
                prk=line.prk,
                medicine=line.medicine,
                quantity=line.quantity,
                outcome=line.outcome,
                reasons=line.reasons,
            )
            for line in order.lines
        ),
        remark=order.remark,
        supply_until=order.supply_until,
    )
