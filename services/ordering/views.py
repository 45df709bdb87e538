"""What ordering's API shows: orders as they stand, a pharmacy's feed."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Literal

import orjson
from pydantic import BaseModel

from runtime.records import Record
from schemas.base import Actor, Channel, Model, OrderId, Text, UtcDatetime
from schemas.orders import DecidedLine, OrderState
from services.ordering.domain.order import Order
from services.ordering.envelopes import SOURCE


class CancelRequest(Model):
    """Who takes an order back, and why."""

    cancelled_by: Actor
    reason: Text | None = None


class ReceivedView(BaseModel):
    """An order that was taken and is not decided yet."""

    order_id: OrderId
    state: Literal["received"] = "received"


class OrderView(BaseModel):
    """An order as it stands now."""

    order_id: OrderId
    state: OrderState
    patient: str
    practice: str
    pharmacy: str
    channel: Channel
    placed_at: UtcDatetime
    seq: int
    lines: tuple[DecidedLine, ...]
    remark: str | None
    supply_until: date | None


class OrdersView(BaseModel):
    """A patient's orders, newest first."""

    orders: list[OrderView]


class FeedItem(BaseModel):
    """One entry of a pharmacy's feed: `id`, `type` and `data` of the record on the pharmacy's Kafka topic.

    An entry may come again under the same `id`: drop what you have. `cursor` is the place after it.
    """

    id: str
    type: str
    cursor: str
    data: dict[str, Any]


class FeedView(BaseModel):
    """A page of a pharmacy's feed; pass `next` as `after` to read on."""

    items: list[FeedItem]
    next: str


def feed_items(records: Sequence[Record]) -> list[FeedItem]:
    """What ordering tells in these records of a pharmacy's topic, each id once."""
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
    """An order as the API shows it."""
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
