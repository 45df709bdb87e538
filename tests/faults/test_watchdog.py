"""A Kafka client that is wedged, and does not know it: the worker is made anew, in the same process."""

import asyncio
import sys
import time
from dataclasses import replace

import pytest

from deploy.local import LocalStack
from deploy.local.services import is_ready
from deploy.local.supervisor import Child
from schemas import topics
from tests.faults.load import Load
from tests.faults.rows import Judge
from tests.harness.kafka import read_all

PER_S = 30.0
PATIENCE_S = 8
BATCHES = 20


@pytest.mark.timeout(150)
async def test_a_consumer_that_stops_to_fetch_is_replaced_without_a_restart(
    disturbed: LocalStack, judge: Judge, load: Load
) -> None:
    async with load.running(PER_S):
        await disturbed.stop("ordering")
        service = _wedging(disturbed)
        await service.start()
        try:
            await service.ready(40)
            pid = service.pid
            wedged_s = await _no_decision_for(disturbed, 3.0)
            recovery_s = await _next_decision(disturbed) - wedged_s
            assert service.pid == pid
        finally:
            await service.stop(8)
            await disturbed.start("ordering")
    row = await judge.judge(load, "a consumer that stops to fetch", "ordering", recovery_s)
    assert row.clean
    assert recovery_s > PATIENCE_S - 3, "it was not wedged at all"


def _wedging(stack: LocalStack) -> Child:
    program = stack.process("ordering").program
    argv = [sys.executable, "-m", "tests.faults.wedged_service", "ordering", str(BATCHES)]
    env = {**program.env, "HERHAAL_PATIENCE_S": str(PATIENCE_S)}
    probe = is_ready(stack.ports.services["ordering"])
    return Child(replace(program, argv=argv, env=env), probe, stack.report)


async def _decided(stack: LocalStack) -> int:
    return len(await read_all(stack.kafka, topics.ORDERS_EVENTS.name))


async def _no_decision_for(stack: LocalStack, seconds: float) -> float:
    """When the last decision was seen (monotonic), once there was none for so many seconds."""
    last_s, seen = time.monotonic(), await _decided(stack)
    async with asyncio.timeout(40):
        while time.monotonic() - last_s < seconds:
            await asyncio.sleep(0.1)
            if (now := await _decided(stack)) > seen:
                last_s, seen = time.monotonic(), now
    return last_s


async def _next_decision(stack: LocalStack) -> float:
    before = await _decided(stack)
    async with asyncio.timeout(60):
        while await _decided(stack) <= before:
            await asyncio.sleep(0.1)
    return time.monotonic()
