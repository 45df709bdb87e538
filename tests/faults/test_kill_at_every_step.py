"""kill -9 at every failpoint of the loop, of every service, under a load."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack

import pytest

from deploy.local import LocalStack
from runtime.loop.failpoints import Failpoint
from schemas import topics
from tests.faults.load import Load
from tests.faults.processes import SHORT_SESSION, faulty, running
from tests.faults.rows import Judge
from tests.faults.watch import now, watching

PER_S = 40.0
DIES_WITHIN_S = 60.0
PASSES = 3
"""The process dies at this pass of the failpoint, so not in the first batch after a start."""

SHORT: Mapping[str, Sequence[Failpoint]] = {
    "ordering": (Failpoint.BEFORE_COMMIT, Failpoint.AFTER_COMMIT, Failpoint.AFTER_PUBLISH),
    "medication": (Failpoint.AFTER_POLL, Failpoint.BEFORE_PUBLISH, Failpoint.BEFORE_DROP),
    "notification": (Failpoint.BEFORE_POLL, Failpoint.AFTER_DROP, Failpoint.BEFORE_KAFKA_COMMIT),
    "metrics": (Failpoint.BEFORE_DECIDE, Failpoint.AFTER_DECIDE, Failpoint.AFTER_KAFKA_COMMIT),
}
"""The short form: each failpoint once. `--soak` kills every service at every failpoint."""

PUBLISHING = (
    Failpoint.BEFORE_PUBLISH,
    Failpoint.AFTER_PUBLISH,
    Failpoint.BEFORE_DROP,
    Failpoint.AFTER_DROP,
)
"""Failpoints that metrics does not pass, as it publishes nothing."""

OUTPUTS = {
    "ordering": topics.ORDERS_EVENTS.name,
    "medication": topics.MEDICATION_STATUS.name,
    "notification": topics.NOTIFICATIONS_EVENTS.name,
}


def test_the_short_form_leaves_no_step_out() -> None:
    assert set().union(*SHORT.values()) == set(Failpoint)


@pytest.mark.timeout(600)
async def test_services_killed_at_every_step_lose_and_repeat_nothing(
    disturbed: LocalStack, judge: Judge, load: Load, soak: bool
) -> None:
    """Given a load; when all four services are killed in parallel, each at its failpoints in turn; then nothing
    is lost or repeated.
    """
    async with load.running(PER_S), asyncio.TaskGroup() as dying:
        deaths = {
            service: dying.create_task(_dies_again_and_again(disturbed, service, steps))
            for service, steps in (_long() if soak else SHORT).items()
        }
    recoveries = {service: death.result() for service, death in deaths.items()}
    what = "every step of each" if soak else "every step, divided"
    rows = await judge.judge_each(load, f"kill -9 at {what}, four at once", recoveries)
    assert all(row.clean for row in rows)
    assert rows[0].acknowledged > rows[0].sent / 4


def _long() -> Mapping[str, Sequence[Failpoint]]:
    return {
        service: [step for step in Failpoint if service != "metrics" or step not in PUBLISHING]
        for service in SHORT
    }


async def _dies_again_and_again(
    stack: LocalStack, service: str, steps: Sequence[Failpoint]
) -> float | None:
    """Kill a service at each of these failpoints, then start it normally.

    Returns the seconds from that start to its next output; None for a service without an output topic.
    """
    await stack.stop(service)
    for step in steps:
        await _dies_at(stack, service, step)
    async with AsyncExitStack() as seeing:
        output = OUTPUTS.get(service)
        watch = await seeing.enter_async_context(watching(stack, output)) if output else None
        since = now()
        await stack.start(service)
        return await watch.recovery(since) if watch else None


async def _dies_at(stack: LocalStack, service: str, step: Failpoint) -> None:
    """Run the service until it kills itself at this failpoint."""
    options = ("--kill-at", step, "--pass", str(PASSES))
    async with running(faulty(stack, service, *options, env=SHORT_SESSION)) as process:
        async with asyncio.timeout(DIES_WITHIN_S):
            assert await process.wait() == -9, f"{service} did not die at {step}"
