"""Producers that send records repeatedly, out of order, or a week late, beside a load."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

from aiokafka import AIOKafkaProducer, ConsumerRecord

from deploy.local import LocalStack
from schemas import topics
from schemas.base import Body
from schemas.records.orders import OrderCancelled, OrderDecided, OrderPlace
from tests.faults.load import Load
from tests.faults.rows import Judge
from tests.faults.watch import Watch, watching
from tests.harness.kafka import eventually, header, producer, read_all, sent
from tests.harness.made import SIMVASTATINE, Sent, a_cancellation, an_order
from verify.history import Action

PER_S = 40.0
ORDERS = 60
REQUESTS = topics.ORDERS_REQUESTS.name
WEEK = timedelta(days=7)


async def test_records_sent_three_times_on_two_connections_count_once(
    disturbed: LocalStack, judge: Judge, load: Load
) -> None:
    orders = _orders(load)
    async with load.running(PER_S), producer(disturbed.kafka) as other:
        await load.clients.connected.wait()
        for order in orders:
            await _three_times(load, other, "place", order.order_id, sent(REQUESTS, order))
        for order in orders[::3]:
            cancel = sent(REQUESTS, a_cancellation(order))
            await _three_times(load, other, "cancel", order.order_id, cancel)
    row = await judge.judge(load, "each record three times on two connections", "ordering")
    assert row.clean


async def _three_times(
    load: Load, other: AIOKafkaProducer, f: Action, order_id: UUID, record: Sent
) -> None:
    once_more = {"key": record.key, "value": record.value, "headers": list(record.headers)}
    await asyncio.gather(
        load.clients.record(f, order_id, record),
        other.send_and_wait(REQUESTS, **once_more),
        other.send_and_wait(REQUESTS, **once_more),
    )


async def test_records_that_overtook_each_other_are_taken_as_they_come(
    disturbed: LocalStack, judge: Judge, load: Load
) -> None:
    """Given a cancellation sent before its order; then it becomes a dead letter, and the order is decided."""
    orders = _orders(load)
    overtaken, cancelled = orders[::2], orders[1::2]
    async with watching(disturbed) as watch, load.running(PER_S):
        await load.clients.connected.wait()
        for one, other in zip(overtaken, cancelled, strict=True):
            await _send(load, "cancel", one)
            await _send(load, "place", other)
            await _send(load, "place", one)
            await _send(load, "cancel", other)
        await _decided(watch, orders)
    row = await judge.judge(load, "cancellations before their orders", "ordering")
    assert row.clean
    # The watch ended with the last decision; its cancellation comes after that.
    events = await read_all(disturbed.kafka, topics.ORDERS_EVENTS.name)
    taken_back = {header(r, "ce_subject") for r in events if _is(r, OrderCancelled)}
    assert taken_back >= {str(order.order_id) for order in cancelled}
    assert not taken_back & {str(order.order_id) for order in overtaken}
    letters = await read_all(disturbed.kafka, topics.dead_letters("ordering").name)
    unknown = {bytes(r.value) for r in letters if header(r, "dl_reason") == "unknown_order"}
    assert all(any(str(o.order_id).encode() in v for v in unknown) for o in overtaken)


async def test_a_record_made_a_week_ago_is_decided_at_the_time_at_which_kafka_took_it(
    disturbed: LocalStack, judge: Judge, load: Load
) -> None:
    orders = _orders(load)
    began = datetime.now(UTC)
    async with watching(disturbed) as watch, load.running(PER_S):
        await load.clients.connected.wait()
        for order in orders:
            old = (began - WEEK).isoformat().replace("+00:00", "Z")
            record = sent(REQUESTS, order, ce_time=old)
            await load.clients.record("place", order.order_id, record, made_at=began - WEEK)
        await _decided(watch, orders)
    row = await judge.judge(load, "records made a week ago", "ordering")
    assert row.clean
    decided = [d for d in _decisions(watch) if d.order_id in {o.order_id for o in orders}]
    assert len(decided) == len(orders)
    assert all(began <= d.placed_at <= datetime.now(UTC) for d in decided)


def _orders(load: Load) -> list[OrderPlace]:
    """Orders of a medicine that the load does not order: none of them is under way already."""
    patients = load.patients
    return [an_order(patients[n % len(patients)], SIMVASTATINE) for n in range(ORDERS)]


async def _send(load: Load, f: Action, order: OrderPlace) -> None:
    body = a_cancellation(order) if f == "cancel" else order
    await load.clients.over_kafka(f, order.order_id, topics.ORDERS_REQUESTS, body)


async def _decided(watch: Watch, orders: list[OrderPlace]) -> None:
    wanted = {order.order_id for order in orders}

    async def look() -> set[UUID]:
        return wanted - {decided.order_id for decided in _decisions(watch)}

    await eventually(look, lambda missing: not missing)


def _decisions(watch: Watch) -> list[OrderDecided]:
    return [
        OrderDecided.model_validate_json(r.value) for r in watch.records if _is(r, OrderDecided)
    ]


def _is(record: ConsumerRecord, kind: type[Body]) -> bool:
    return header(record, "ce_type") == kind.ce_type()
