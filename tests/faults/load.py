"""A load at a steady rate: what patients, practices and reviewers do.

Orders, repeats of orders, cancellations, imports, status changes and reviews, each a fixed share, over HTTP and
Kafka. Every operation is recorded in a history.
"""

import asyncio
import random
import time
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from itertools import cycle
from pathlib import Path
from typing import Literal
from uuid import uuid4

import httpx

from schemas import topics
from schemas.records.medication import MedicationSetStatus, Status
from schemas.records.orders import OrderPlace, OrderReview, Outcome
from tests.faults.clients import Answer, Clients
from tests.harness.made import (
    FREELY,
    GP,
    METFORMINE,
    OMEPRAZOL,
    SIMVASTATINE,
    a_cancellation,
    a_patient,
    an_import,
    an_order,
    as_json,
    entry,
)
from verify.history import Operation, Via, read_history

Kind = Literal["order", "again", "cancel", "import", "status", "review"]
Share = Mapping[tuple[Kind, Via], int]

EVERYTHING: Share = {
    ("order", "http"): 6,
    ("order", "kafka"): 6,
    ("again", "http"): 1,
    ("again", "kafka"): 1,
    ("cancel", "http"): 1,
    ("cancel", "kafka"): 1,
    ("import", "http"): 1,
    ("import", "kafka"): 1,
    ("status", "http"): 1,
    ("status", "kafka"): 1,
    ("review", "kafka"): 1,
}
"""Operations per round, spread evenly over it. Reviews have no HTTP endpoint."""

REMARKS = 4
"""One in this many orders has a remark, which sends it to review."""

PATIENTS = 30


class Load:
    """The load of one run, and the history of its clients."""

    def __init__(
        self,
        endpoints: Mapping[str, str],
        tokens: httpx.Auth,
        history: Path,
        share: Share = EVERYTHING,
        http_timeout_s: float = 8.0,
    ) -> None:
        self.patients = [a_patient() for _ in range(PATIENTS)]
        self.acknowledged: list[OrderPlace] = []
        """Orders that a service or Kafka acknowledged, in the order of the acknowledgements."""
        self.tokens = tokens
        self._path = history
        self._endpoints = endpoints
        self._http_timeout_s = http_timeout_s
        self._round = cycle(spread(share))
        self._chance = random.Random(7)
        self._to_review: deque[OrderPlace] = deque()
        self._number = 0
        self._clients: Clients | None = None
        self._sending: asyncio.Task[None] | None = None

    def operations(self) -> list[Operation]:
        """Every operation of the clients, with its outcome as far as they know it."""
        return read_history(self._path)

    @property
    def clients(self) -> Clients:
        """The clients that send the load; a test may send more with them."""
        assert self._clients is not None, "the load has run"
        return self._clients

    @property
    def answers(self) -> list[Answer]:
        """HTTP answers to writes, in order of arrival."""
        return self.clients.answers

    @asynccontextmanager
    async def running(self, per_s: float) -> AsyncIterator[None]:
        """Send this many operations a second while the body runs, then wait for every answer.

        Fails when a client was turned away.
        """
        stop = asyncio.Event()
        async with Clients(
            self._endpoints, self.tokens, self._path, self._http_timeout_s
        ) as self._clients:
            self._sending = asyncio.create_task(self._send(per_s, stop))
            try:
                yield
            finally:
                stop.set()
                await self._sending
        assert not self.clients.turned_away, self.clients.turned_away

    async def end(self) -> None:
        """Stop sending, also after a test that timed out, which leaves its tasks behind."""
        if self._sending is not None and not self._sending.done():
            self._sending.cancel()
            await asyncio.wait({self._sending})

    async def _send(self, per_s: float, stop: asyncio.Event) -> None:
        began_s, count = time.monotonic(), 0
        async with asyncio.TaskGroup() as sending:
            imports = sending.create_task(self._first_imports())
            while not stop.is_set():
                sending.create_task(self._act(*next(self._round)))
                count += 1
                await asyncio.sleep(max(0.0, began_s + count / per_s - time.monotonic()))
            if not self.clients.connected.is_set():
                imports.cancel()

    async def _first_imports(self) -> None:
        await self.clients.connected.wait()
        for patient in self.patients:
            await self._import(patient, "kafka")

    async def _act(self, kind: Kind, via: Via) -> None:
        match kind:
            case "import":
                await self._import(self._chance.choice(self.patients), via)
            case "status":
                await self._set_status(self._chance.choice(self.patients), via)
            case "review" if self._to_review:
                await self._review(self._to_review.popleft())
            case "again" if self.acknowledged:
                await self._place(self._chance.choice(self.acknowledged), via)
            case "cancel" if self.acknowledged:
                await self.cancel(self._chance.choice(self.acknowledged), via)
            case _:
                await self._place(self._next_order(), via)

    def _next_order(self) -> OrderPlace:
        self._number += 1
        patient = self.patients[self._number % len(self.patients)]
        remark = "graag voor vier maanden" if self._number % REMARKS == 0 else None
        return an_order(patient, METFORMINE, OMEPRAZOL, remark=remark)

    async def _place(self, order: OrderPlace, via: Via) -> None:
        if via == "http":
            body = as_json(order)
            taken = await self.clients.over_http(
                "place", order.order_id, "POST", "ordering", "/orders", body
            )
        else:
            taken = await self.clients.over_kafka(
                "place", order.order_id, topics.ORDERS_REQUESTS, order
            )
        if taken:
            self.acknowledged.append(order)
            if order.remark is not None:
                self._to_review.append(order)

    async def cancel(self, order: OrderPlace, via: Via) -> None:
        """Cancel an order as its patient."""
        cancel = a_cancellation(order)
        if via == "kafka":
            await self.clients.over_kafka("cancel", order.order_id, topics.ORDERS_REQUESTS, cancel)
            return
        path = f"/orders/{order.order_id}/cancel"
        body = {"cancelled_by": as_json(cancel)["cancelled_by"]}
        await self.clients.over_http("cancel", order.order_id, "POST", "ordering", path, body)

    async def _import(self, patient: str, via: Via) -> None:
        change = an_import(
            patient,
            entry(METFORMINE, **FREELY),
            entry(OMEPRAZOL),
            entry(SIMVASTATINE, **FREELY),
        )
        if via == "kafka":
            await self.clients.over_kafka(
                "import", change.change_id, topics.MEDICATION_CHANGES, change
            )
            return
        path = f"/patients/{patient}/overview"
        await self.clients.over_http(
            "import", change.change_id, "PUT", "medication", path, as_json(change)
        )

    async def _set_status(self, patient: str, via: Via) -> None:
        change = MedicationSetStatus(
            change_id=uuid4(),
            patient=patient,
            by=GP,
            prk=OMEPRAZOL[0],
            status=self._chance.choice((Status.CHRONIC, Status.TEMPORARY)),
        )
        if via == "kafka":
            await self.clients.over_kafka(
                "set_status", change.change_id, topics.MEDICATION_CHANGES, change
            )
            return
        path = f"/patients/{patient}/medications/{change.prk}/status"
        await self.clients.over_http(
            "set_status", change.change_id, "PUT", "medication", path, as_json(change)
        )

    async def _review(self, order: OrderPlace) -> None:
        """Decide an order's first line if it is in review; otherwise try later, unless it is cancelled."""
        state = await self.clients.order_state(order.order_id)
        if state != "in_review":
            if state != "cancelled":
                self._to_review.append(order)
            return
        review = OrderReview(
            order_id=order.order_id,
            patient=order.patient,
            line=1,
            outcome=self._chance.choice((Outcome.APPROVED, Outcome.REFUSED)),
            decided_by=GP,
        )
        await self.clients.over_kafka("review", order.order_id, topics.ORDERS_REVIEWS, review)


def spread(share: Share) -> list[tuple[Kind, Via]]:
    """One round: each operation as often as its share, spread evenly."""
    placed = [((n + 0.5) / count, act) for act, count in share.items() for n in range(count)]
    return [act for _, act in sorted(placed)]
