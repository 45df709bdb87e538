"""Events of many orders, made by ordering's own handler, for measurements of throughput."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import uuid4

from runtime.kafka.producer import Producer
from runtime.loop.handler import Done
from runtime.messages.message import Message, Outgoing
from runtime.messages.parser import Parser
from samples.codes import practice_code
from schemas import topics
from schemas.base import Body
from schemas.records.directory import Pharmacy
from schemas.records.medication import Change, MedicationOverview
from schemas.records.orders import OrderPlace, OrderReview, Outcome
from schemas.topics import Topic
from services.ordering.domain.overview import read_overview
from services.ordering.handlers import INPUTS, OrderingHandler
from services.ordering.work import Work
from tests.bodies import make
from tests.harness.made import (
    GP,
    METFORMINE,
    OMEPRAZOL,
    PHARMACY,
    a_cancellation,
    an_order,
    entry,
)
from tests.harness.records import delivered

AT_A_TIME = 2000
"""Orders made and published at a time."""

_FIRST = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
_DAY_MS = 86_400_000

_parse = Parser.of(INPUTS).parse


@dataclass
class Bulk:
    """Orders of a region: half have two lines, a fifth are reviewed, a tenth are cancelled."""

    patients: int = 200_000
    practices: int = 500
    orders_a_day: int = 10_000
    seed: int = 1
    made: int = 0
    _dice: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._dice = random.Random(self.seed)
        pharmacy = make(Pharmacy)
        assert isinstance(pharmacy, Pharmacy)
        self._handler = OrderingHandler({}, {PHARMACY: pharmacy})

    async def publish(self, kafka: str, events: int) -> int:
        """Publish at least this many events on `orders.events`; return how many."""
        publisher = Producer(kafka, "bulk")
        await publisher.start()
        published = 0
        try:
            while published < events:
                records = list(self.some(min(AT_A_TIME, events - published)))
                await publisher.publish(records)
                published += len(records)
        finally:
            await publisher.stop()
        return published

    def some(self, orders: int) -> Iterator[Outgoing]:
        """The events of this many orders: all decisions first, then those of reviews and cancellations."""
        work, later = Work(), list[tuple[Topic, Body, int]]()
        for _ in range(orders):
            chance, at_ms = self._dice.random(), self._next_ms()
            order = self._order(chance, work)
            yield from self._events(topics.ORDERS_REQUESTS, order, at_ms, work)
            if chance > 0.8:
                review = OrderReview(
                    order_id=order.order_id,
                    patient=order.patient,
                    line=1,
                    outcome=Outcome.APPROVED,
                    decided_by=GP,
                )
                later.append((topics.ORDERS_REVIEWS, review, at_ms))
            elif chance < 0.1:
                later.append((topics.ORDERS_REQUESTS, a_cancellation(order), at_ms))
        for topic, body, at_ms in later:
            yield from self._events(topic, body, at_ms + 1000, work)

    def _next_ms(self) -> int:
        self.made += 1
        return int(_FIRST.timestamp() * 1000) + self.made * _DAY_MS // self.orders_a_day

    def _order(self, chance: float, work: Work) -> OrderPlace:
        """An order whose overview is loaded; with a remark when it has to be reviewed."""
        patient = f"pat_bulk{self._dice.randrange(self.patients):08d}"
        practice = practice_code(self._dice.randrange(self.practices))
        work.overviews[patient] = read_overview(_overview(patient, practice))
        medicines = (METFORMINE, OMEPRAZOL) if self._dice.random() < 0.5 else (METFORMINE,)
        remark = "graag voor vier maanden" if chance > 0.8 else None
        return an_order(patient, *medicines, practice=practice, remark=remark)

    def _events(self, topic: Topic, body: Body, at_ms: int, work: Work) -> Iterator[Outgoing]:
        message = _parse(delivered(topic, body, timestamp=at_ms))
        assert isinstance(message, Message)
        done = self._handler.handle(message, work)
        assert isinstance(done, Done)
        return (r for r in done.records if r.topic == topics.ORDERS_EVENTS.name)


def _overview(patient: str, practice: str) -> MedicationOverview:
    return MedicationOverview(
        patient=patient,
        practice=practice,
        version=1,
        changed_at=_FIRST,
        change=Change(change_id=uuid4(), kind="import", by=GP),
        medications=(entry(METFORMINE), entry(OMEPRAZOL)),
    )
