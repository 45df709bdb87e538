"""Processes that stand still, come and go, or are told to stop, under a load of orders."""

import asyncio
import os
import random
import signal
import time

import pytest

from deploy.local import LocalStack
from deploy.local.ports import free_ports
from tests.faults.load import Load
from tests.faults.rows import Judge

SESSION_S = 10.0
PER_S = 40.0


@pytest.mark.parametrize("service", ["ordering", "notification", "medication"])
async def test_a_worker_that_stood_still_past_its_session_writes_nothing_it_may_not(
    disturbed: LocalStack, judge: Judge, load: Load, service: str
) -> None:
    second = await disturbed.add_service(
        service, instance=f"{service}-still", port=free_ports().base, only="worker"
    )
    await second.ready(40)
    async with load.running(PER_S):
        await asyncio.sleep(2)
        os.kill(second.pid, signal.SIGSTOP)
        stood_s = time.monotonic()
        await asyncio.sleep(SESSION_S + 3)
        os.kill(second.pid, signal.SIGCONT)
        await asyncio.sleep(3)
    row = await judge.judge(load, f"SIGSTOP for {time.monotonic() - stood_s:.0f} s", service)
    await disturbed.stop(second.name)
    assert row.clean


async def test_workers_that_join_and_leave_at_random_lose_and_repeat_nothing(
    disturbed: LocalStack, judge: Judge, load: Load, pytestconfig: pytest.Config
) -> None:
    chance = random.Random(7)
    ends_s = time.monotonic() + (60 if pytestconfig.getoption("--soak") else 20)
    changes = 0
    async with load.running(PER_S):
        while time.monotonic() < ends_s:
            name = f"ordering-guest-{changes}"
            port = free_ports().base
            guest = await disturbed.add_service("ordering", instance=name, port=port, only="worker")
            await guest.ready(40)
            await asyncio.sleep(chance.uniform(0.5, 2))
            if chance.random() < 0.5:
                await disturbed.kill(name)
            else:
                await disturbed.stop(name)
            changes += 2
    row = await judge.judge(load, f"{changes} rebalances", "ordering")
    assert row.clean
    assert changes >= 4


async def test_every_service_told_to_stop_under_load_takes_up_where_it_was(
    disturbed: LocalStack, judge: Judge, load: Load
) -> None:
    async with load.running(PER_S):
        for service in ("ordering", "medication", "notification", "metrics"):
            await disturbed.restart(service)
    row = await judge.judge(load, "SIGTERM and start, one after another", "all")
    assert row.clean
