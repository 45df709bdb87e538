"""Given/when/then for metrics: the real handler on an in-memory unit of work, without I/O."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Self
from uuid import UUID

from runtime.loop.handler import Rejected
from runtime.messages.message import Message
from runtime.messages.parser import Parser
from schemas.api.metrics import CountedChannel
from schemas.base import Actor, Channel, PlacedBy, Role
from schemas.records.orders import (
    DecidedLine,
    OrderCancelled,
    OrderDecided,
    OrderEscalated,
    OrderEvent,
    OrderFulfilment,
    OrderLineDecided,
    OrderState,
    Outcome,
)
from schemas.topics import ORDERS_EVENTS
from services.metrics.domain.counting import LineCell, OrderCell
from services.metrics.handlers import INPUTS, MetricsHandler, Work
from tests.harness.made import METFORMINE, PHARMACY, PRACTICE
from tests.harness.records import delivered

ANNA = "pat_anna0001"
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
TODAY = date(2026, 11, 23)
GP = Actor(role=Role.GP, id="gp-1")

_parser = Parser.of(INPUTS)


def order_id(number: int) -> UUID:
    """The id of a made-up order."""
    return UUID(int=number)


def decided(
    *outcomes: Outcome,
    order: int = 1,
    seq: int = 1,
    channel: Channel = Channel.PORTAL,
    placed_at: datetime = NOON,
    practice: str = PRACTICE,
    patient: str = ANNA,
    placed_by: Role = Role.PATIENT,
) -> OrderDecided:
    """A new order whose lines 1, 2, … have these outcomes."""
    return OrderDecided(
        order_id=order_id(order),
        seq=seq,
        patient=patient,
        practice=practice,
        pharmacy=PHARMACY,
        channel=channel,
        placed_by=PlacedBy.model_validate({"role": placed_by, "id": "somebody"}),
        placed_at=placed_at,
        decided_at=placed_at,
        state=OrderState.APPROVED,
        lines=tuple(
            DecidedLine(
                line=number,
                prk=METFORMINE[0],
                medicine=METFORMINE[1],
                quantity=Decimal(90),
                outcome=outcome,
            )
            for number, outcome in enumerate(outcomes, start=1)
        ),
    )


def line_decided(line: int, outcome: Outcome, *, seq: int, order: int = 1) -> OrderLineDecided:
    """The decision on a line that was waiting or in review."""
    return OrderLineDecided(
        order_id=order_id(order),
        seq=seq,
        patient=ANNA,
        practice=PRACTICE,
        pharmacy=PHARMACY,
        channel=Channel.PORTAL,
        line=line,
        prk=METFORMINE[0],
        medicine=METFORMINE[1],
        outcome=outcome,
        quantity=Decimal(90),
        decided_by=GP,
        decided_at=NOON,
    )


def cancelled(*lines: int, seq: int, order: int = 1) -> OrderCancelled:
    """The cancellation of these lines."""
    return OrderCancelled(
        order_id=order_id(order),
        seq=seq,
        patient=ANNA,
        practice=PRACTICE,
        pharmacy=PHARMACY,
        channel=Channel.PORTAL,
        lines=lines,
        cancelled_by=GP,
        cancelled_at=NOON,
    )


def escalated(*, seq: int, order: int = 1) -> OrderEscalated:
    """The escalation of line 1."""
    return OrderEscalated(
        order_id=order_id(order),
        seq=seq,
        patient=ANNA,
        practice=PRACTICE,
        pharmacy=PHARMACY,
        channel=Channel.PORTAL,
        line=1,
        to_role="gp",
        escalated_at=NOON,
    )


def fulfilment(*, seq: int, order: int = 1) -> OrderFulfilment:
    """The pharmacy's report that line 1 is ready."""
    return OrderFulfilment(
        order_id=order_id(order),
        seq=seq,
        patient=ANNA,
        practice=PRACTICE,
        pharmacy=PHARMACY,
        channel=Channel.PORTAL,
        line=1,
        status="ready",
        at=NOON,
    )


def lines(
    outcomes: Mapping[Outcome, int],
    day: date = TODAY,
    channel: CountedChannel = CountedChannel.PORTAL,
    practice: str = PRACTICE,
) -> Counter[LineCell]:
    """Counts of lines of one day, by outcome."""
    return Counter({LineCell(practice, day, channel, o): n for o, n in outcomes.items()})


@dataclass
class Story:
    """The counts, and the refused events."""

    work: Work = field(default_factory=Work)
    refused: list[str] = field(default_factory=list)

    def when(self, *events: OrderEvent) -> Self:
        """Handle these events."""
        for event in events:
            message = _parser.parse(delivered(ORDERS_EVENTS, event))
            assert isinstance(message, Message)
            result = MetricsHandler().handle(message, self.work)
            if isinstance(result, Rejected):
                self.refused.append(result.reason)
            else:
                assert result.records == ()
        return self

    def then_counted(self, *expected: Counter[LineCell]) -> Self:
        """Check that exactly these lines are counted."""
        assert self.lines == sum(expected, Counter())
        return self

    @property
    def lines(self) -> Counter[LineCell]:
        """The counts of lines, without zeros."""
        return Counter({cell: count for cell, count in self.work.lines.items() if count})

    @property
    def orders(self) -> Counter[OrderCell]:
        """The counts of orders."""
        return self.work.new_orders


def given(*events: OrderEvent) -> Story:
    """Start with these events handled."""
    return Story().when(*events)
