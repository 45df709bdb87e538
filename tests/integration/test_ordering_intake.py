"""The intake: the orders that the API stores in ordering's database before Kafka has them."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import asyncpg
import pytest

from deploy.local import LocalStack
from runtime.messages.digest import digest_of
from runtime.postgres.connection import Connection
from schemas import topics
from services.ordering import intake
from services.ordering.intake import Arrival
from tests.harness.kafka import eventually, send, sent
from tests.harness.made import PHARMACY, PRACTICE, a_patient, an_order


@pytest.fixture
async def dbs(stack: LocalStack) -> AsyncIterator[tuple[Connection, Connection]]:
    """Open the connections of two processes."""
    dsn = stack.databases["ordering"]
    first, second = await asyncpg.connect(dsn), await asyncpg.connect(dsn)
    yield first, second
    await first.close()
    await second.close()


def _arrival(order_id: UUID, patient: str, digest: str) -> Arrival:
    """An order at the made-up practice and pharmacy."""
    return Arrival(order_id, patient, digest, PRACTICE, PHARMACY)


async def test_an_id_stands_for_what_was_noted_first(dbs: tuple[Connection, Connection]) -> None:
    first, second = uuid4(), uuid4()
    patient = a_patient()
    arrivals = [
        _arrival(first, patient, "a"),
        _arrival(second, patient, "b"),
        _arrival(first, patient, "c"),
    ]
    assert await intake.add(dbs[0], arrivals) == {first: "a", second: "b"}
    assert await intake.add(dbs[1], [_arrival(first, patient, "d")]) == {first: "a"}


async def test_of_two_processes_at_once_the_later_learns_what_the_earlier_noted(
    dbs: tuple[Connection, Connection],
) -> None:
    order_id, patient = uuid4(), a_patient()
    async with dbs[0].transaction():
        await intake.add(dbs[0], [_arrival(order_id, patient, "earlier")])
        later = asyncio.create_task(intake.add(dbs[1], [_arrival(order_id, patient, "later")]))
        await asyncio.sleep(0.2)
        assert not later.done()
    assert await later == {order_id: "earlier"}


async def test_an_order_that_came_over_kafka_leaves_the_intake_too(
    stack: LocalStack, dbs: tuple[Connection, Connection]
) -> None:
    """Given the repeat over HTTP of an order, noted, but whose answer PostgreSQL lost, so that nothing was
    published; when the order that came over Kafka is decided; then nothing of it is left in the intake.
    """
    order = an_order(a_patient())
    await intake.add(dbs[0], [_arrival(order.order_id, order.patient, digest_of(order))])
    await send(stack.kafka, [sent(topics.ORDERS_REQUESTS.name, order)])

    async def left() -> tuple[bool, bool]:
        decided = await dbs[0].fetchval("select 1 from orders where order_id = $1", order.order_id)
        noted = await dbs[0].fetchval("select 1 from intake where order_id = $1", order.order_id)
        return bool(decided), bool(noted)

    await eventually(left, lambda seen: bool(seen[0]))
    assert await left() == (True, False)
