"""Three brokers, of which one or two die and come back, under a load of orders."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cli.directory import apply_directory, read_directory
from cli.up import start_everything
from deploy.local import LocalStack, StackOptions
from deploy.local.ports import free_ports
from tests.faults.conftest import EXAMPLE
from tests.faults.load import Load
from tests.faults.rows import Judge
from tests.faults.table import Table

PER_S = 30.0


@pytest.fixture(scope="module")
async def three(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LocalStack]:
    """Everything, on three brokers: every record on three, two of which must have it."""
    folder = tmp_path_factory.mktemp("three")
    async with LocalStack(StackOptions.at(folder, free_ports(brokers=3))) as stack:
        await start_everything(stack)
        await apply_directory(stack.kafka, read_directory(EXAMPLE))
        yield stack


@pytest.mark.timeout(300)
async def test_one_broker_of_three_killed_and_back_then_two(
    three: LocalStack, table: Table, tmp_path: Path
) -> None:
    judge = Judge(three, table)
    one = Load(three.endpoints, tmp_path / "one.jsonl")
    async with one.running(PER_S):
        await asyncio.sleep(2)
        await three.kill("kafka-2")
        await asyncio.sleep(4)
        await three.start("kafka-2")
    row = await judge.judge(one, "one broker of three killed and back", "all")
    assert row.clean
    assert row.acknowledged > row.sent * 0.5

    two = Load(three.endpoints, tmp_path / "two.jsonl")
    async with two.running(PER_S):
        await asyncio.sleep(1)
        await three.kill("kafka-1")
        await three.kill("kafka-3")
        await asyncio.sleep(4)
        began_s = time.monotonic()
        await asyncio.gather(three.start("kafka-1"), three.start("kafka-3"))
    row = await judge.judge(
        two, "two brokers of three killed and back", "all", time.monotonic() - began_s
    )
    assert row.clean
