"""PostgreSQL that dies, cuts connections, or takes too long, under a load of orders."""

import asyncio
import time

import asyncpg

from deploy.local import LocalStack
from schemas import topics
from tests.faults.load import Load
from tests.faults.rows import Judge
from tests.harness.kafka import read_all

PER_S = 40.0

_CUT = """
select count(pg_terminate_backend(pid)) from pg_stat_activity
where pid <> pg_backend_pid() and backend_type = 'client backend'
"""
_BLOCK = "lock table orders in access exclusive mode"


async def test_postgresql_killed_and_started_again(
    disturbed: LocalStack, judge: Judge, load: Load
) -> None:
    async with load.running(PER_S):
        await asyncio.sleep(2)
        await disturbed.kill("postgres")
        await asyncio.sleep(2)
        await disturbed.start("postgres")
        up_s = time.monotonic()
        recovery_s = await _next_decision(disturbed) - up_s
    row = await judge.judge(load, "PostgreSQL kill -9 and start", "all", recovery_s)
    assert row.clean


async def test_every_connection_cut_again_and_again(
    disturbed: LocalStack, judge: Judge, load: Load
) -> None:
    cut = 0
    async with load.running(PER_S):
        for _ in range(8):
            await asyncio.sleep(0.7)
            cut += await _execute(disturbed, _CUT)
    row = await judge.judge(load, f"{cut} database connections cut", "all")
    assert row.clean
    assert cut > 20


async def test_a_table_locked_for_longer_than_a_statement_may_take(
    disturbed: LocalStack, judge: Judge, load: Load
) -> None:
    """The lock is held past the deadlock time-out and cancelled statements are tried again."""
    async with load.running(PER_S):
        await asyncio.sleep(1)
        db = await asyncpg.connect(disturbed.databases["ordering"])
        try:
            async with db.transaction():
                await db.execute(_BLOCK)
                for _ in range(4):
                    await asyncio.sleep(1)
                    await _execute(disturbed, _CANCEL_WAITING)
        finally:
            await db.close()
    row = await judge.judge(load, "table locked, waiting statements cancelled", "ordering")
    assert row.clean


_CANCEL_WAITING = """
select count(pg_cancel_backend(pid)) from pg_stat_activity where wait_event_type = 'Lock'
"""


async def _execute(stack: LocalStack, sql: str) -> int:
    db = await asyncpg.connect(stack.postgres)
    try:
        count: int = await db.fetchval(sql)
        return count
    finally:
        await db.close()


async def _next_decision(stack: LocalStack) -> float:
    """When the next decision is seen (seconds, monotonic)."""
    before = len(await read_all(stack.kafka, topics.ORDERS_EVENTS.name))
    async with asyncio.timeout(40):
        while len(await read_all(stack.kafka, topics.ORDERS_EVENTS.name)) <= before:
            await asyncio.sleep(0.05)
    return time.monotonic()
