"""PostgreSQL that dies, closes connections, or fails the loop's statements, under a load."""

import asyncio
import os
import signal

from deploy.local import LocalStack
from runtime.messages.partitioner import partition_of
from schemas import topics
from schemas.records.orders import OrderPlace
from tests.faults.database import (
    administrator,
    cut_connections,
    role_setting,
    waiting_for_locks,
)
from tests.faults.load import Load
from tests.faults.metrics import retries
from tests.faults.rows import Judge
from tests.faults.watch import now, watching
from tests.harness.kafka import eventually
from tests.harness.made import an_order

PER_S = 40.0

_LOCK_ORDER = "select from orders where order_id = $1 for update"
_LOCK_PROGRESS = "select from progress where topic = $1 and partition = $2 for update"
_APPROVED = "select exists (select from orders where order_id = $1 and state = 'approved')"
_DEADLOCKS = "select deadlocks from pg_stat_database where datname = 'ordering'"


async def test_postgresql_killed_and_started_again(
    disturbed: LocalStack, judge: Judge, load: Load
) -> None:
    async with watching(disturbed) as watch, load.running(PER_S):
        await asyncio.sleep(1)
        await disturbed.kill("postgres")
        await asyncio.sleep(2)
        since = now()
        await disturbed.start("postgres")
        recovery_s = await watch.recovery(since)
    row = await judge.judge(load, "PostgreSQL kill -9, started after 2 s", "all", recovery_s)
    assert row.clean


async def test_postgresql_stopped_immediately_and_started_by_its_supervisor(
    disturbed: LocalStack, judge: Judge, load: Load
) -> None:
    """SIGQUIT is what `pg_ctl stop -m immediate` sends: no checkpoint, recovery at the next start."""
    async with watching(disturbed) as watch, load.running(PER_S):
        await asyncio.sleep(1)
        os.kill(disturbed.process("postgres").pid, signal.SIGQUIT)
        recovery_s = await watch.recovery(now())
    row = await judge.judge(load, "PostgreSQL immediate stop and start", "all", recovery_s)
    assert row.clean


async def test_every_connection_cut_again_and_again(
    disturbed: LocalStack, judge: Judge, load: Load
) -> None:
    cut = 0
    async with load.running(PER_S):
        for _ in range(6):
            await asyncio.sleep(0.7)
            cut += await cut_connections(disturbed)
    row = await judge.judge(load, f"{cut} database connections cut", "all")
    assert row.clean
    assert cut > 20


async def test_a_deadlock_ends_one_attempt_and_the_next_succeeds(
    disturbed: LocalStack, judge: Judge, load: Load
) -> None:
    """Given a session that has locked an order's row; when the loop waits for that lock, and the session
    for the loop's lock on its progress; then PostgreSQL aborts the loop's transaction, and the next
    attempt succeeds.
    """
    before = await retries(disturbed.endpoints["ordering"], "DeadlockDetectedError")
    async with administrator(disturbed, "ordering") as db:
        # Time for this session to complete the deadlock before PostgreSQL looks for one.
        async with (
            role_setting(disturbed, "ordering", "deadlock_timeout", "3s"),
            load.running(PER_S),
        ):
            order = await _an_approved_order(disturbed, load)
            await db.execute("set deadlock_timeout = '60s'")
            async with db.transaction():
                await db.execute(_LOCK_ORDER, order.order_id)
                await load.cancel(order, "kafka")
                await eventually(
                    lambda: waiting_for_locks(disturbed, "ordering"),
                    lambda waiting: waiting > 0,
                )
                home = partition_of(order.patient.encode(), topics.PATIENT_PARTITIONS)
                await db.execute(_LOCK_PROGRESS, topics.ORDERS_REQUESTS.name, home)
        await eventually(lambda: db.fetchval(_DEADLOCKS), lambda count: count >= 1)
    row = await judge.judge(load, "a deadlock that the loop loses", "ordering")
    assert row.clean
    assert await retries(disturbed.endpoints["ordering"], "DeadlockDetectedError") > before


async def _an_approved_order(stack: LocalStack, load: Load) -> OrderPlace:
    """Place an order that the load does not cancel, and wait until it is approved."""
    await load.clients.connected.wait()
    order = an_order(load.patients[1])
    await load.clients.over_kafka("place", order.order_id, topics.ORDERS_REQUESTS, order)

    async def look() -> bool:
        async with administrator(stack, "ordering") as db:
            approved: bool = await db.fetchval(_APPROVED, order.order_id)
        return approved

    await eventually(look, bool)
    return order
