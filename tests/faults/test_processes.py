"""Processes that are killed, frozen or restarted, and workers that join and leave, under a load."""

import asyncio
import os
import random
import signal
import time
from contextlib import AsyncExitStack

import pytest

from deploy.local import LocalStack
from schemas.topics import SERVICES
from tests.faults.load import Load
from tests.faults.processes import SHORT_SESSION, faulty, running, until_ready
from tests.faults.rows import Judge
from tests.faults.watch import now, watching

STANDS_STILL_S = 8.0
"""Longer than the session timeout of 6 s."""

PER_S = 40.0
AT_LEAST = 4
"""Minimum number of rebalances."""


@pytest.mark.soak_only
async def test_a_service_that_is_killed_is_started_again_by_its_supervisor_and_goes_on(
    disturbed: LocalStack, judge: Judge, load: Load
) -> None:
    async with watching(disturbed) as watch, load.running(PER_S):
        await asyncio.sleep(1)
        os.kill(disturbed.process("ordering").pid, signal.SIGKILL)
        recovery_s = await watch.recovery(now())
    row = await judge.judge(load, "kill -9, started by its supervisor", "ordering", recovery_s)
    assert row.clean


async def test_workers_that_stood_still_past_their_sessions_write_nothing_they_may_not(
    disturbed: LocalStack, judge: Judge, load: Load
) -> None:
    programs = [
        faulty(disturbed, service, "--only", "worker", beside=True, env=SHORT_SESSION)
        for service in SERVICES
    ]
    async with load.running(PER_S), AsyncExitStack() as beside:
        seconds = [await beside.enter_async_context(running(program)) for program in programs]
        await asyncio.gather(*map(until_ready, programs))
        for second in seconds:
            second.send_signal(signal.SIGSTOP)
        await asyncio.sleep(STANDS_STILL_S)
        for second in seconds:
            second.send_signal(signal.SIGCONT)
        await asyncio.gather(*map(until_ready, programs))
        await asyncio.sleep(1)
    what = f"SIGSTOP for {STANDS_STILL_S:.0f} s, past the session, four at once"
    rows = await judge.judge_each(load, what, dict.fromkeys(SERVICES))
    assert all(row.clean for row in rows)


async def test_workers_that_join_and_leave_at_random_lose_and_repeat_nothing(
    disturbed: LocalStack, judge: Judge, load: Load, soak: bool
) -> None:
    chance = random.Random(7)
    ends_s = time.monotonic() + (60 if soak else 6)
    changes = 0
    async with load.running(PER_S):
        while changes < AT_LEAST or time.monotonic() < ends_s:
            guest = faulty(
                disturbed, "ordering", "--only", "worker", beside=True, env=SHORT_SESSION
            )
            async with running(guest) as process:
                await until_ready(guest)
                await asyncio.sleep(chance.uniform(0.5, 2))
                process.send_signal(chance.choice((signal.SIGKILL, signal.SIGTERM)))
                await process.wait()
            changes += 2
    row = await judge.judge(load, f"{changes} rebalances", "ordering")
    assert row.clean


async def test_every_service_told_to_stop_under_load_takes_up_where_it_was(
    disturbed: LocalStack, judge: Judge, load: Load
) -> None:
    async with load.running(PER_S):
        for service in SERVICES:
            await disturbed.restart(service)
    row = await judge.judge(load, "SIGTERM and start, one after another", "all")
    assert row.clean
