"""A frozen server or service, or a locked table, under a load; afterwards everything goes on by itself.

After each fault every service is steady: ready, with one member in its group and no stalled partition.
"""

import asyncio

import pytest

from deploy.local import LocalStack
from tests.faults.database import administrator
from tests.faults.frozen import frozen_for
from tests.faults.load import Load
from tests.faults.metrics import retries
from tests.faults.readers import Readers
from tests.faults.rows import Judge
from tests.faults.steady import until_steady
from tests.faults.watch import now, watching

ORDERS_PER_S = 20.0
READS_PER_S = 40.0
GOES_ON_WITHIN_S = 90.0

SHORT = (("postgres", 12), ("ordering", 12))
LONG = tuple(
    (process, seconds)
    for process in ("postgres", "kafka-1", "ordering")
    for seconds in (20, 60, 180)
)

_LOCK_ALL = "lock table orders in access exclusive mode"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Take every process and duration in the long form, cheap cases in the short one."""
    soak = metafunc.config.getoption("--soak")
    if "process" in metafunc.fixturenames:
        metafunc.parametrize(("process", "seconds"), LONG if soak else SHORT)
    elif "locked_s" in metafunc.fixturenames:
        metafunc.parametrize("locked_s", (75, 180) if soak else (14,))


@pytest.mark.timeout(420)
async def test_what_stands_still_for_a_while_goes_on_whole(
    disturbed: LocalStack, judge: Judge, load: Load, process: str, seconds: int
) -> None:
    """Given orders and readers; when a process is frozen; then every service is steady afterwards."""
    readers = Readers(disturbed.endpoints["ordering"], load.tokens, load.acknowledged)
    async with watching(disturbed) as watch, load.running(ORDERS_PER_S):
        await watch.recovery(now())
        async with readers.running(READS_PER_S):
            await frozen_for(disturbed.process(process).pid, seconds)
            recovery_s = await watch.recovery(now(), GOES_ON_WITHIN_S)
            await until_steady(disturbed, GOES_ON_WITHIN_S)
    row = await judge.judge(load, f"{process} frozen for {seconds} s", "all", recovery_s)
    assert row.clean
    assert readers.answers[200] > 0
    await until_steady(disturbed)


@pytest.mark.timeout(420)
async def test_a_statement_that_times_out_while_readers_wait_for_its_lock_starves_no_worker(
    disturbed: LocalStack, judge: Judge, load: Load, locked_s: int
) -> None:
    """Given more readers than the API has connections; when a table is locked; then the loop's statements
    time out and are retried, and the worker goes on in the same process.
    """
    readers = Readers(disturbed.endpoints["ordering"], load.tokens, load.acknowledged)
    pid = disturbed.process("ordering").pid
    timed_out = await retries(disturbed.endpoints["ordering"], "LockNotAvailableError")
    async with watching(disturbed) as watch, load.running(ORDERS_PER_S):
        await watch.recovery(now())
        async with readers.running(1.5 * READS_PER_S):
            async with administrator(disturbed, "ordering") as db, db.transaction():
                await db.execute(_LOCK_ALL)
                await asyncio.sleep(locked_s)
            recovery_s = await watch.recovery(now(), GOES_ON_WITHIN_S)
        await until_steady(disturbed, GOES_ON_WITHIN_S)
    row = await judge.judge(load, f"orders locked for {locked_s} s", "ordering", recovery_s)
    assert row.clean
    assert disturbed.process("ordering").pid == pid, "being starved is not being wedged"
    assert readers.answers[503] > 0, "the API's connections were not exhausted"
    assert await retries(disturbed.endpoints["ordering"], "LockNotAvailableError") > timed_out
    await until_steady(disturbed)
