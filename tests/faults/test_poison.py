"""Poison records of every kind, one record in ten, beside a load."""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import cycle
from statistics import median
from uuid import UUID, uuid4

import pytest

from deploy.local import LocalStack
from schemas import topics
from schemas.records.orders import OrderPlace, OrderReview, Outcome
from tests.faults.load import Load
from tests.faults.rows import Judge
from tests.faults.watch import Watch, watching
from tests.harness.kafka import header, read_all, sent
from tests.harness.made import GP, Sent, a_cancellation, an_import, an_order
from tests.harness.poison import SPOILT, Spoil

PER_S = 20.0
GOOD = 1500
POISON_EVERY = 9
"""One poison record for this many good orders: one record in ten."""

ROUNDS = 5
"""Each without poison and then with it; the medians count, as other processes use the machine too."""

SLOWEST = 0.7
"""Lowest pace of good orders among poison, as a share of the pace without poison."""

MARK = "x-mark"
REQUESTS = topics.ORDERS_REQUESTS.name
CHANGES = topics.MEDICATION_CHANGES.name

Kind = Callable[[OrderPlace, str], tuple[str, Sent]]
"""Makes a marked poison record that follows a good order; returns the expected reason and the record."""


@pytest.mark.crowd
@pytest.mark.timeout(600)
async def test_poison_at_one_in_ten_is_kept_and_good_orders_keep_their_pace(
    disturbed: LocalStack, judge: Judge, load: Load, soak: bool
) -> None:
    expected: dict[str, str] = {}
    clean: list[float] = []
    poisoned: list[float] = []
    kinds = cycle(_kinds())
    async with watching(disturbed) as watch, load.running(PER_S):
        await load.clients.connected.wait()
        for _ in range(4 * ROUNDS if soak else ROUNDS):
            orders = _orders(load)
            clean.append(await _pace(load, watch, orders, {}))
            orders = _orders(load)
            poison = {
                order.order_id: _marked(next(kinds), order) for order in orders[::POISON_EVERY]
            }
            expected |= {mark: reason for mark, reason, _ in poison.values()}
            records = {order_id: record for order_id, (_, _, record) in poison.items()}
            poisoned.append(await _pace(load, watch, orders, records))
    row = await judge.judge(load, f"{len(expected)} poison records, 1 in 10", "all")
    assert row.clean
    assert await _reasons(disturbed) == expected
    assert median(poisoned) / median(clean) >= SLOWEST, (
        f"good orders per second: {clean}, {poisoned}"
    )


def _orders(load: Load) -> list[OrderPlace]:
    return [an_order(load.patients[n % len(load.patients)]) for n in range(GOOD)]


async def _pace(
    load: Load, watch: Watch, orders: list[OrderPlace], poison: dict[UUID, Sent]
) -> float:
    """Send a burst in which poison follows some orders; return the good orders decided per second."""
    records: list[tuple[UUID | None, Sent]] = []
    for order in orders:
        records.append((order.order_id, sent(REQUESTS, order)))
        if order.order_id in poison:
            records.append((None, poison[order.order_id]))
    began_s = await load.clients.burst(records)
    decided_s = await watch.all_decided([order.order_id for order in orders], within_s=60)
    return len(orders) / (decided_s - began_s)


def _marked(kind: Kind, behind: OrderPlace) -> tuple[str, str, Sent]:
    """A mark, the expected reason, and the poison record."""
    mark = uuid4().hex
    return mark, *kind(behind, mark)


def _kinds() -> Iterator[Kind]:
    """Every way to spoil a request or a change, and valid commands that must be refused."""
    for reason, spoil in SPOILT.values():
        yield partial(_spoilt_request, reason, spoil)
        yield partial(_spoilt_change, reason, spoil)
    yield _cancels_nothing
    yield _reviews_nothing
    yield _conflicts


def _spoilt_request(reason: str, spoil: Spoil, behind: OrderPlace, mark: str) -> tuple[str, Sent]:
    return reason, spoil(sent(REQUESTS, an_order(behind.patient), **{MARK: mark}))


def _spoilt_change(reason: str, spoil: Spoil, behind: OrderPlace, mark: str) -> tuple[str, Sent]:
    return reason, spoil(sent(CHANGES, an_import(behind.patient), **{MARK: mark}))


def _cancels_nothing(behind: OrderPlace, mark: str) -> tuple[str, Sent]:
    cancel = a_cancellation(an_order(behind.patient))
    return "unknown_order", sent(REQUESTS, cancel, **{MARK: mark})


def _reviews_nothing(behind: OrderPlace, mark: str) -> tuple[str, Sent]:
    review = OrderReview(
        order_id=uuid4(),
        patient=behind.patient,
        line=1,
        outcome=Outcome.APPROVED,
        decided_by=GP,
    )
    return "unknown_order", sent(topics.ORDERS_REVIEWS.name, review, **{MARK: mark})


def _conflicts(behind: OrderPlace, mark: str) -> tuple[str, Sent]:
    other = an_order(behind.patient, order_id=behind.order_id, quantity=30)
    return "order_conflict", sent(REQUESTS, other, **{MARK: mark})


async def _reasons(stack: LocalStack) -> dict[str, str | None]:
    """Reasons of the dead letters of marked records, by mark."""
    letters = [
        letter
        for service in ("ordering", "medication")
        for letter in await read_all(stack.kafka, topics.dead_letters(service).name)
    ]
    return {mark: header(r, "dl_reason") for r in letters if (mark := header(r, MARK))}
