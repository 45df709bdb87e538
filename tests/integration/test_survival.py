"""Given ordering under load, when its process or its database dies or stands still, then nothing is
lost and nothing is decided twice."""

import asyncio
import os
import signal
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from uuid import UUID

import pytest
from aiokafka import ConsumerRecord
from pydantic import TypeAdapter

from deploy.local import LocalStack
from deploy.local.ports import free_ports
from schemas import topics
from schemas.orders import OrderDecided, OrderLineDecided, OrderPlace, Outcome
from schemas.prescriptions import PrescriptionApproved
from tests.harness.kafka import eventually, header, producer, read_all, send, sent
from tests.harness.made import METFORMINE, OMEPRAZOL, a_patient, an_import, an_order, entry

DecisionEvent = OrderDecided | OrderLineDecided
_EVENT: TypeAdapter[DecisionEvent] = TypeAdapter(DecisionEvent)

ORDERS = 2_000
SESSION_S = 10.0


@pytest.fixture
async def patients(stack: LocalStack) -> list[str]:
    """Patients whose overview ordering has."""
    made = [a_patient() for _ in range(20)]
    imports = [an_import(p, entry(METFORMINE), entry(OMEPRAZOL)) for p in made]
    await send(stack.kafka, [sent(topics.MEDICATION_CHANGES.name, i) for i in imports])

    async def look() -> set[bytes]:
        return {r.key for r in await read_all(stack.kafka, topics.MEDICATION_STATUS.name)}

    await eventually(look, lambda keys: {p.encode() for p in made} <= keys)
    return made


async def test_kill_9_in_the_middle_of_2000_orders_loses_and_repeats_nothing(
    stack: LocalStack, patients: list[str]
) -> None:
    orders = _orders(patients, ORDERS)
    async with _sending(stack, orders):
        await _some_decided(stack, orders, 200)
        await stack.kill("ordering")
        await asyncio.sleep(1)
        await stack.start("ordering")
    await _each_decided_once(stack, orders)


async def test_a_worker_that_stood_still_past_its_session_writes_nothing_it_may_not(
    stack: LocalStack, patients: list[str]
) -> None:
    orders = _orders(patients, ORDERS)
    second = await stack.add_service(
        "ordering", instance="ordering-2", port=free_ports().base, only="worker"
    )
    await second.ready(30)
    try:
        async with _sending(stack, orders):
            await _some_decided(stack, orders, 200)
            os.kill(second.pid, signal.SIGSTOP)
            await asyncio.sleep(SESSION_S + 3)
            os.kill(second.pid, signal.SIGCONT)
        await _each_decided_once(stack, orders)
    finally:
        await stack.stop("ordering-2")


async def test_a_database_that_goes_away_and_comes_back_loses_and_buries_nothing(
    stack: LocalStack, patients: list[str]
) -> None:
    buried = len(await _letters(stack))
    orders = _orders(patients, ORDERS)
    async with _sending(stack, orders):
        await _some_decided(stack, orders, 200)
        await stack.kill("postgres")
        await asyncio.sleep(2)
        await stack.start("postgres")
    await _each_decided_once(stack, orders)
    assert len(await _letters(stack)) == buried


async def test_sigterm_in_the_middle_of_orders_leaves_the_rest_to_the_next_start(
    stack: LocalStack, patients: list[str]
) -> None:
    orders = _orders(patients, ORDERS)
    async with _sending(stack, orders):
        await _some_decided(stack, orders, 200)
        await stack.restart("ordering")
    await _each_decided_once(stack, orders)


def _orders(patients: list[str], count: int) -> list[OrderPlace]:
    return [an_order(patients[n % len(patients)], METFORMINE, OMEPRAZOL) for n in range(count)]


@asynccontextmanager
async def _sending(stack: LocalStack, orders: Iterable[OrderPlace]) -> AsyncIterator[None]:
    """Send these while the body runs, at a pace that outlasts what happens in it."""
    sending = asyncio.create_task(_send_slowly(stack.kafka, list(orders)))
    try:
        yield
    finally:
        await sending


async def _send_slowly(bootstrap: str, orders: list[OrderPlace]) -> None:
    async with producer(bootstrap) as client:
        for start in range(0, len(orders), 100):
            for order in orders[start : start + 100]:
                r = sent(topics.ORDERS_REQUESTS.name, order)
                await client.send(r.topic, key=r.key, value=r.value, headers=list(r.headers))
            await client.flush()
            await asyncio.sleep(0.2)


async def _some_decided(stack: LocalStack, orders: list[OrderPlace], at_least: int) -> None:
    async def look() -> int:
        return len(await _events(stack, orders))

    await eventually(look, lambda count: count >= at_least)


async def _events(stack: LocalStack, orders: Iterable[OrderPlace]) -> list[ConsumerRecord]:
    mine = {str(order.order_id) for order in orders}
    records = await read_all(stack.kafka, topics.ORDERS_EVENTS.name)
    return [r for r in records if header(r, "ce_subject") in mine]


async def _letters(stack: LocalStack) -> list[ConsumerRecord]:
    return await read_all(stack.kafka, topics.dead_letters("ordering").name)


async def _each_decided_once(stack: LocalStack, orders: list[OrderPlace]) -> None:
    """Each order has one first event and no gap after it, and each approved line one prescription."""

    async def look() -> int:
        return len({header(r, "ce_subject") for r in await _events(stack, orders)})

    await eventually(look, lambda count: count >= len(orders), within_s=60)
    records = await _events(stack, orders)
    # Raw duplicates are allowed and carry the same id; two different decisions are not.
    by_id = {header(r, "ce_id"): r.value for r in records}
    assert {r.value for r in records} == set(by_id.values())
    events = [_event(value) for value in by_id.values()]
    decided = Counter(e.order_id for e in events if isinstance(e, OrderDecided))
    assert decided == Counter(order.order_id for order in orders)
    numbers: dict[UUID, list[int]] = defaultdict(list)
    for event in events:
        numbers[event.order_id].append(event.seq)
    assert all(sorted(n) == list(range(1, len(n) + 1)) for n in numbers.values())
    await _each_approved_line_prescribed_once(stack, events)


def _event(value: bytes) -> DecisionEvent:
    return _EVENT.validate_json(value)


async def _each_approved_line_prescribed_once(
    stack: LocalStack, events: Iterable[DecisionEvent]
) -> None:
    approved: Counter[tuple[UUID, int]] = Counter()
    for event in events:
        # An order that came before its patient's overview waits for it, and is decided line by line.
        lines = event.lines if isinstance(event, OrderDecided) else (event,)
        approved.update(
            (event.order_id, line.line) for line in lines if line.outcome is Outcome.APPROVED
        )
    assert approved, "the load must approve something"
    mine = {str(order_id) for order_id, _ in approved}

    async def look() -> Counter[tuple[UUID, int]]:
        return await _prescribed(stack, mine)

    await eventually(look, lambda prescribed: prescribed == approved)


async def _prescribed(stack: LocalStack, orders: set[str]) -> Counter[tuple[UUID, int]]:
    topic = topics.prescriptions(an_order(a_patient()).pharmacy).name
    # Other tests withdraw prescriptions on this topic.
    approvals = [
        record
        for record in await read_all(stack.kafka, topic)
        if header(record, "ce_type") == PrescriptionApproved.ce_type()
    ]
    by_id = {header(r, "ce_id"): r.value for r in approvals}
    bodies = map(PrescriptionApproved.model_validate_json, by_id.values())
    return Counter((b.order_id, b.line) for b in bodies if str(b.order_id) in orders)
