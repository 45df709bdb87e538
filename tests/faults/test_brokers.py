"""Three brokers (replication factor 3, at least two in-sync replicas) that stop and come back under a load."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deploy.local import LocalStack
from runtime.kafka.clients import admin
from samples.callers import Permitted
from schemas import topics
from tests.faults.conftest import everything
from tests.faults.database import outboxes
from tests.faults.load import Load
from tests.faults.rows import Judge
from tests.faults.table import Table
from tests.faults.watch import now, watching
from tests.harness.kafka import eventually

PER_S = 30.0
BROKERS = ("kafka-1", "kafka-2", "kafka-3")
BROKER_STOPS_S = 20.0
CLIENT_GIVES_UP_S = 20.0
"""Longer than the 10 s for which a service tries to send a write to Kafka."""

REFUSALS = 5
"""Writes that must be refused while too few brokers are up, before the others start."""


@pytest.fixture(scope="module")
async def three(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LocalStack]:
    """A whole stack with three brokers."""
    async with everything(tmp_path_factory.mktemp("three"), brokers=3) as stack:
        yield stack


@pytest.fixture(scope="module")
def judge(three: LocalStack, table: Table) -> Judge:
    """The judge of the stack with three brokers."""
    return Judge(three, table)


@pytest.fixture
async def load(three: LocalStack, tmp_path: Path) -> AsyncIterator[Load]:
    """A load on three brokers, from clients with a longer timeout than the services have."""
    clients = Load(
        three.endpoints,
        Permitted(three.token),
        tmp_path / "history.jsonl",
        http_timeout_s=CLIENT_GIVES_UP_S,
    )
    yield clients
    await clients.end()


async def test_one_broker_killed_and_back(three: LocalStack, judge: Judge, load: Load) -> None:
    async with watching(three) as watch, load.running(PER_S):
        await watch.recovery(now())
        await three.kill("kafka-2")
        recovery_s = await watch.recovery(now())
        await asyncio.sleep(2)
        await three.start("kafka-2")
    row = await judge.judge(load, "one broker of three killed and back", "all", recovery_s)
    assert row.clean
    assert row.acknowledged > row.sent / 2


@pytest.mark.soak_only
async def test_a_rolling_restart_of_all_three(three: LocalStack, judge: Judge, load: Load) -> None:
    async with load.running(PER_S):
        for broker in BROKERS:
            await three.stop(broker, BROKER_STOPS_S)
            await three.start(broker)
            # As in every rolling restart: stop the next broker only when all replicas are in sync.
            await eventually(lambda: _missing(three), lambda missing: missing == 0, within_s=60)
    row = await judge.judge(load, "rolling restart of three brokers", "all")
    assert row.clean
    assert row.acknowledged > row.sent * 0.9


async def test_with_two_brokers_killed_nothing_is_acknowledged_until_they_are_back(
    three: LocalStack, judge: Judge, load: Load
) -> None:
    async with watching(three) as watch, load.running(PER_S):
        await watch.recovery(now())
        await asyncio.gather(three.kill("kafka-1"), three.kill("kafka-3"))
        down_s = now().monotonic_s

        async def refused() -> int:
            return sum(a.sent_s > down_s and a.status == 503 for a in load.answers)

        await eventually(refused, lambda count: count >= REFUSALS, within_s=30)
        while_down = [answer for answer in load.answers if answer.sent_s > down_s]
        since = now()
        await asyncio.gather(three.start("kafka-1"), three.start("kafka-3"))
        recovery_s = await watch.recovery(since)
    await eventually(lambda: outboxes(three), lambda rows: not any(rows.values()), within_s=60)
    row = await judge.judge(load, "two brokers of three killed and back", "all", recovery_s)
    assert row.clean
    # A status change is a 404 while the import before it waits in Kafka.
    assert {answer.status for answer in while_down} <= {503, 404, None}
    assert all(answer.retry_after for answer in while_down if answer.status == 503)


async def _missing(stack: LocalStack) -> int:
    """How many replicas are not in sync."""
    async with admin(stack.kafka) as client:
        described = await client.describe_topics([topic.name for topic in topics.ALL])
    return sum(
        len(partition["replicas"]) - len(partition["isr"])
        for topic in described
        for partition in topic["partitions"]
    )
