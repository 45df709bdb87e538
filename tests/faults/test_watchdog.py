"""A Kafka client that is wedged, and does not know it: the worker is made anew, in the same process."""

import sys
from dataclasses import replace

import pytest

from deploy.local import LocalStack
from deploy.local.services import is_ready
from deploy.local.supervisor import Child
from tests.faults.load import Load
from tests.faults.rows import Judge
from tests.faults.watch import watching

PER_S = 30.0
PATIENCE_S = 8
BATCHES = 20
SILENCE_S = 3.0
"""Longer than decisions are apart while all is well."""


@pytest.mark.timeout(150)
async def test_a_consumer_that_stops_to_fetch_is_replaced_without_a_restart(
    disturbed: LocalStack, judge: Judge, load: Load
) -> None:
    """Recovery counts from the last decision before the silence."""
    async with watching(disturbed) as watch, load.running(PER_S):
        await disturbed.stop("ordering")
        service = _wedging(disturbed)
        await service.start()
        try:
            await service.ready(40)
            pid = service.pid
            recovery_s = await watch.recovery(await watch.silent(SILENCE_S))
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
