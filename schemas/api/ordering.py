"""Bodies of ordering's API."""

from datetime import date
from typing import Any, Literal

from pydantic import BaseModel

from schemas.base import Actor, Channel, Model, OrderId, PlacedBy, Text, UtcDatetime
from schemas.records.orders import DecidedLine, NewOrder, OrderState, StatusSignal


class PlaceRequest(NewOrder):
    """An order: repeats for one patient. The same order sent again, with or without `placed_by`, is a repeat.

    `placed_by` is the token's bearer for a person, who may leave it out. A system must name for whom it acts.
    """


class CancelRequest(Model):
    """Who cancels an order, and why; `cancelled_by` as `placed_by` of an order."""

    cancelled_by: Actor | None = None
    reason: Text | None = None


class ReceivedView(BaseModel):
    """An order that is accepted and not decided yet; `received_at` is None in the answer that accepts it."""

    order_id: OrderId
    state: Literal["received"] = "received"
    received_at: UtcDatetime | None = None


class LineView(DecidedLine):
    """One line with its current outcome.

    `decided_by`, `decided_at` and `explanation` are those of the last decision on a line that was in review or
    waiting; None for a line that was decided when the order came. `signal` is what became of the medicine since
    an approved line was approved, until somebody decides the line again.
    """

    decided_by: Actor | None = None
    decided_at: UtcDatetime | None = None
    explanation: str | None = None
    signal: StatusSignal | None = None


class CancellationView(BaseModel):
    """Who cancelled an order, when, and why."""

    cancelled_by: Actor | None
    cancelled_at: UtcDatetime | None
    reason: str | None


class OrderView(BaseModel):
    """The current state of an order; `cancellation` is None unless it is cancelled."""

    order_id: OrderId
    state: OrderState
    patient: str
    practice: str
    pharmacy: str
    channel: Channel
    placed_by: PlacedBy
    placed_at: UtcDatetime
    seq: int
    lines: tuple[LineView, ...]
    remark: str | None
    supply_until: date | None
    cancellation: CancellationView | None


class OrderChanged(BaseModel):
    """Data of an event `order`: something happened to an order, which is at `seq` now or further."""

    order_id: OrderId
    seq: int


class OrdersView(BaseModel):
    """A patient's orders, newest first."""

    orders: list[OrderView]


class FeedItem(BaseModel):
    """One entry of a pharmacy's feed: `id`, `type` and `data` are those of a record on the pharmacy's topic.

    An entry can occur again with the same `id`: ignore the repeat. `cursor` is the position after this entry.
    """

    id: str
    type: str
    cursor: str
    data: dict[str, Any]


class FeedView(BaseModel):
    """A page of a pharmacy's feed; pass `next` as `after` for the next page."""

    items: list[FeedItem]
    next: str
