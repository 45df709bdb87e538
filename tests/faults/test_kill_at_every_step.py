"""kill -9 before and after every step of the loop, of every service, under a load of orders."""

import asyncio
import sys
import time
from pathlib import Path

import pytest

from deploy.local import LocalStack
from runtime.steps import Step
from schemas import topics
from tests.faults.load import Load
from tests.faults.rows import Judge
from tests.harness.kafka import read_all

ROOT = Path(__file__).parents[2]
PER_S = 40.0
DIES_WITHIN_S = 40.0
PASSES = 3
"""How often a step is passed before the process dies at it: not in the first batch after a start."""

SHORT = {
    "ordering": (
        Step.AFTER_POLL,
        Step.BEFORE_COMMIT,
        Step.AFTER_COMMIT,
        Step.AFTER_PUBLISH,
        Step.AFTER_KAFKA_COMMIT,
    ),
    "notification": (Step.AFTER_COMMIT,),
    "metrics": (Step.AFTER_COMMIT,),
}
"""What every run of the tests kills; `--soak` kills every service at every step that it passes."""

PUBLISHING = (
    Step.BEFORE_PUBLISH,
    Step.AFTER_PUBLISH,
    Step.BEFORE_DROP,
    Step.AFTER_DROP,
)
"""Steps that metrics does not pass: it publishes nothing."""


@pytest.mark.timeout(600)
@pytest.mark.parametrize("service", ["ordering", "notification", "metrics"])
async def test_a_service_killed_at_every_step_loses_and_repeats_nothing(
    disturbed: LocalStack,
    judge: Judge,
    load: Load,
    service: str,
    pytestconfig: pytest.Config,
) -> None:
    steps = [
        step
        for step in (Step if pytestconfig.getoption("--soak") else SHORT[service])
        if not (service == "metrics" and step in PUBLISHING)
    ]
    async with load.running(PER_S):
        await disturbed.stop(service)
        for step in steps:
            await _dies_at(disturbed, service, step)
        died_s = time.monotonic()
        await disturbed.start(service)
        recovery_s = await _progress_again(disturbed, service) - died_s
    row = await judge.judge(load, f"kill -9 at {len(steps)} steps", service, recovery_s)
    assert row.clean
    assert row.acknowledged > 100


async def _dies_at(stack: LocalStack, service: str, step: Step) -> None:
    """Run the service until it kills itself at this step."""
    program = stack.process(service).program
    arguments = ["-m", "tests.faults.dying_service", service, step.value, str(PASSES)]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        cwd=ROOT,
        env=program.env,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(DIES_WITHIN_S):
            assert await process.wait() == -9, f"{service} did not die at {step}"
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _progress_again(stack: LocalStack, service: str) -> float:
    """When the service's next output is seen (seconds, monotonic); of metrics, when it is ready."""
    outputs = {
        "ordering": topics.ORDERS_EVENTS.name,
        "notification": topics.NOTIFICATIONS_EVENTS.name,
    }
    if service in outputs:
        before = len(await read_all(stack.kafka, outputs[service]))
        async with asyncio.timeout(DIES_WITHIN_S):
            while len(await read_all(stack.kafka, outputs[service])) <= before:
                await asyncio.sleep(0.05)
    return time.monotonic()
