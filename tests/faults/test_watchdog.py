"""A Kafka client that is wedged, and does not know it: its process ends, and the supervisor starts another."""

import asyncio
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.local import LocalStack
from deploy.local.services import is_ready
from deploy.local.supervisor import Child
from tests.faults.load import Load
from tests.faults.rows import Judge
from tests.faults.steady import until_steady
from tests.faults.watch import now, watching

PER_S = 30.0
PATIENCE_S = 8
BATCHES = 20


@pytest.mark.timeout(150)
async def test_a_consumer_that_stops_to_fetch_ends_its_process_and_another_goes_on(
    disturbed: LocalStack, judge: Judge, load: Load, tmp_path: Path
) -> None:
    """Recovery counts from when it was wedged; one member is in the group afterwards."""
    wedged = tmp_path / "wedged"
    async with watching(disturbed) as watch, load.running(PER_S):
        await disturbed.stop("ordering")
        service = _wedging(disturbed, wedged)
        await service.start()
        try:
            await service.ready(40)
            pid = service.pid
            await _until_there(wedged)
            recovery_s = await watch.recovery(now())
            assert service.pid != pid
            assert service.restarts == 1
            await until_steady(disturbed)
        finally:
            await service.stop(8)
            await disturbed.start("ordering")
    row = await judge.judge(load, "a consumer that stops to fetch", "ordering", recovery_s)
    assert row.clean
    assert recovery_s > PATIENCE_S - 3, "it was not wedged at all"
    assert "no sign of life for" in service.program.log.read_text()


async def _until_there(file: Path) -> None:
    async with asyncio.timeout(60):
        while not await asyncio.to_thread(file.exists):
            await asyncio.sleep(0.1)


def _wedging(stack: LocalStack, once: Path) -> Child:
    program = stack.process("ordering").program
    module = [sys.executable, "-m", "tests.faults.wedged_service"]
    log = program.log.with_name("ordering-wedged.log")
    wedging = replace(
        program,
        argv=[*module, "ordering", str(BATCHES), str(once)],
        log=log,
        env={**program.env, "HERHAAL_PATIENCE_S": str(PATIENCE_S)},
    )
    return Child(wedging, is_ready(stack.ports.services["ordering"]), stack.report)
