"""What metrics counts: every order and every line once, under its practice, day, channel and outcome.

Pure: a function of the event and what is counted of its order.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date
from typing import NamedTuple, assert_never
from uuid import UUID
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import replace

from schemas.base import Channel
from schemas.records.orders import (
    OrderCancelled,
    OrderDecided,
    OrderEscalated,
    OrderEvent,
    OrderFulfilment,
    OrderLineDecided,
    Outcome,
)

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
"""Days are calendar days there."""

ONLINE = Channel.PORTAL
"""The channel of orders that patients place online; an e-consult asks a person a question."""


class OrderCell(NamedTuple):
    """Where an order is counted."""

    practice: str
    day: date
    channel: Channel


class LineCell(NamedTuple):
    """Where a line is counted."""

    practice: str
    day: date
    channel: Channel
    outcome: Outcome


class Counted(Struct, frozen=True):
    """An order as it is counted now; `seq` is that of its newest event, `outcomes` by line number."""

    order_id: UUID
    seq: int
    cell: OrderCell
    outcomes: Mapping[int, Outcome]

    @property
    def lines(self) -> Counter[LineCell]:
        """How many of its lines are counted where."""
        return Counter(LineCell(*self.cell, outcome) for outcome in self.outcomes.values())


class Repeated(Struct, frozen=True):
    """The event was counted before."""


class Refused(Struct, frozen=True):
    """The event contradicts what came before it; `code` says how. The counts stay as they are."""

    code: str


def count(event: OrderEvent, counted: Counted | None) -> Counted | Repeated | Refused:
    """The order after this event; `counted` is None for an order that was not seen before.

    An order's events come in order, so one that skips a number is refused, and so are those after
    it: counting on would lose the skipped one for good, which a replay can still bring.
    """
    seq = counted.seq if counted else 0
    if event.seq <= seq:
        return Repeated()
    if event.seq > seq + 1:
        return Refused("seq_gap")
    match event:
        case OrderDecided():
            return _first(event) if counted is None else Refused("decided_twice")
        case OrderLineDecided():
            return _move(counted, event, {event.line: event.outcome})
        case OrderCancelled():
            return _move(counted, event, dict.fromkeys(event.lines, Outcome.CANCELLED))
        case OrderEscalated() | OrderFulfilment():
            return _move(counted, event, {})
        case _:
            assert_never(event)


def difference(before: Counted | None, after: Counted) -> Iterator[tuple[LineCell, int]]:
    """What to add where, -1 where a line has left, to count `after` instead of `before`."""
    counted = before.outcomes if before else {}
    for line, outcome in after.outcomes.items():
        left = counted.get(line)
        if left is outcome:
            continue
        yield LineCell(*after.cell, outcome), 1
        if left is not None:
            yield LineCell(*after.cell, left), -1


def _first(event: OrderDecided) -> Counted:
    day = event.placed_at.astimezone(AMSTERDAM).date()
    cell = OrderCell(event.practice, day, event.channel)
    return Counted(
        event.order_id, event.seq, cell, {line.line: line.outcome for line in event.lines}
    )


def _move(
    counted: Counted | None, event: OrderEvent, outcomes: Mapping[int, Outcome]
) -> Counted | Refused:
    """Give lines other outcomes. They stay on the day on which the order was placed."""
    if counted is None:
        return Refused("not_decided")
    if outcomes.keys() - counted.outcomes.keys():
        return Refused("unknown_line")
    return replace(counted, seq=event.seq, outcomes={**counted.outcomes, **outcomes})
