"""Bodies of ordering's API: what a request asks for, orders, and a pharmacy's feed."""

from collections.abc import Sequence

import orjson

from runtime.messages.message import Record
from schemas.api.ordering import (
    CancellationView,
    FeedItem,
    LineView,
    OrderView,
    PlaceRequest,
    ReceivedView,
)
from schemas.base import PlacedBy
from schemas.records.orders import OrderPlace
from services.ordering.domain.order import Line, Order
from services.ordering.envelopes import SOURCE
from services.ordering.intake import Received


def place_command(request: PlaceRequest, placed_by: PlacedBy) -> OrderPlace:
    """The command that places this order."""
    return OrderPlace.model_validate(vars(request) | {"placed_by": placed_by})


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
        placed_by=order.placed_by,
        placed_at=order.placed_at,
        seq=order.seq,
        lines=tuple(map(_line_view, order.lines)),
        remark=order.remark,
        supply_until=order.supply_until,
        cancellation=_cancellation_view(order) if order.cancelled else None,
    )


def received_view(received: Received) -> ReceivedView:
    """The response body for an order in the intake."""
    return ReceivedView(order_id=received.order_id, received_at=received.received_at)


def _line_view(line: Line) -> LineView:
    return LineView(
        line=line.number,
        prk=line.prk,
        medicine=line.medicine,
        quantity=line.quantity,
        dosage=line.dosage,
        outcome=line.outcome,
        reasons=line.reasons,
        unit=line.unit,
        ordered_as=line.ordered_as,
        reviewer=line.reviewer,
        signals=line.signals,
        sent_by_practice=line.sent_by_practice,
        signal=line.signal,
        decided_by=line.decided_by,
        decided_at=line.decided_at,
        explanation=line.explanation,
    )


def _cancellation_view(order: Order) -> CancellationView:
    return CancellationView(
        cancelled_by=order.cancelled_by,
        cancelled_at=order.cancelled_at,
        reason=order.cancel_reason,
    )
