"""Counts every order and every line once, by practice, day, channel and outcome.

Pure: a function of the event and of how its order is counted.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date
from typing import NamedTuple, assert_never
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from schemas.api.metrics import CountedChannel
from schemas.base import Channel, Role
from schemas.records.orders import (
    OrderCancelled,
    OrderDecided,
    OrderEscalated,
    OrderEvent,
    OrderFulfilment,
    OrderLineDecided,
    OrderLineSignalled,
    Outcome,
)
from schemas.times import local_date

ONLINE = CountedChannel.PORTAL
"""The channel that counts as online; an e-consult goes to a person, so it does not."""


class OrderCell(NamedTuple):
    """The count that an order belongs to."""

    practice: str
    day: date
    channel: CountedChannel


class LineCell(NamedTuple):
    """The count that a line belongs to."""

    practice: str
    day: date
    channel: CountedChannel
    outcome: Outcome


class Counted(Struct, frozen=True):
    """How an order is counted; `seq` is its newest event's, `outcomes` is by line number."""

    order_id: UUID
    seq: int
    cell: OrderCell
    outcomes: Mapping[int, Outcome]

    @property
    def lines(self) -> Counter[LineCell]:
        """How many lines of this order each count has."""
        return Counter(LineCell(*self.cell, outcome) for outcome in self.outcomes.values())


class Repeated(Struct, frozen=True):
    """The event is counted already."""


class Refused(Struct, frozen=True):
    """The event contradicts earlier events; `code` is the dead letter's reason. The counts do not change."""

    code: str


def count(event: OrderEvent, counted: Counted | None) -> Counted | Repeated | Refused:
    """Count an event; `counted` is how its order is counted, None for a new order.

    An order's events come in order of `seq`. An event after a gap is refused, and so are those after it: a
    replay can still bring the missing event, which would be lost if later ones were counted.
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
            return _change_outcomes(counted, event, {event.line: event.outcome})
        case OrderCancelled():
            return _change_outcomes(counted, event, dict.fromkeys(event.lines, Outcome.CANCELLED))
        case OrderLineSignalled() | OrderEscalated() | OrderFulfilment():
            return _change_outcomes(counted, event, {})
        case _:
            assert_never(event)


def difference(before: Counted | None, after: Counted) -> Iterator[tuple[LineCell, int]]:
    """The changes of the counts when an order is counted as `after` instead of `before`: +1 or -1 a line."""
    counted = before.outcomes if before else {}
    for line, outcome in after.outcomes.items():
        earlier = counted.get(line)
        if earlier is outcome:
            continue
        yield LineCell(*after.cell, outcome), 1
        if earlier is not None:
            yield LineCell(*after.cell, earlier), -1


def _first(event: OrderDecided) -> Counted:
    day = local_date(event.placed_at)
    cell = OrderCell(event.practice, day, _channel(event))
    return Counted(
        event.order_id, event.seq, cell, {line.line: line.outcome for line in event.lines}
    )


def _channel(event: OrderDecided) -> CountedChannel:
    """The channel under which an order counts: what the practice enters in the portal is not online."""
    by = event.placed_by.role if event.placed_by else Role.PATIENT
    if event.channel is Channel.PORTAL and by not in (Role.PATIENT, Role.PROXY):
        return CountedChannel.PORTAL_BY_PRACTICE
    return CountedChannel(event.channel)


def _change_outcomes(
    counted: Counted | None, event: OrderEvent, outcomes: Mapping[int, Outcome]
) -> Counted | Refused:
    """Change the outcomes of lines; they stay counted on the day the order was placed."""
    if counted is None:
        return Refused("not_decided")
    if outcomes.keys() - counted.outcomes.keys():
        return Refused("unknown_line")
    return replace(counted, seq=event.seq, outcomes={**counted.outcomes, **outcomes})
