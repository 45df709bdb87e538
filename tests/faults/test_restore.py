"""Databases restored from an older backup, beside a newer Kafka: published decisions and promises stand."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import time
from pathlib import Path

import pytest

from cli.directory import apply_directory, read_directory
from cli.up import start_everything
from deploy.local import LocalStack, PlainReport, StackOptions
from deploy.local.backup.dumps import dump_databases, restore_databases
from deploy.local.data import DataFolder
from deploy.local.ports import free_ports
from samples.callers import Permitted
from schemas import topics
from schemas.access import Party
from schemas.records.directory import Approver, Directory
from schemas.records.medication import Status
from tests.faults.conftest import EXAMPLE
from tests.faults.load import Load
from tests.faults.rows import Judge
from tests.faults.table import Table
from tests.harness.kafka import header, read_all, send, sent
from tests.harness.made import METFORMINE, OMEPRAZOL, a_cancellation, an_import, an_order, entry
from tests.harness.systems import until_known
from verify.at_rest import wait_until_at_rest

PER_S = 40.0
REPORT = PlainReport()


@asynccontextmanager
async def running(data: Path) -> AsyncIterator[LocalStack]:
    """Run a whole stack on this folder, on free ports."""
    async with LocalStack(StackOptions.at(data, free_ports())) as stack:
        await start_everything(stack)
        yield stack


def otherwise(directory: Directory) -> Directory:
    """The same practices with other rules: every order is reviewed, and processing takes longer."""
    return directory.model_copy(
        update={
            "practices": tuple(
                practice.model_copy(
                    update={
                        "policy": practice.policy.model_copy(
                            update={"approver": Approver.ASSISTANT}
                        ),
                        "processing": practice.processing.model_copy(
                            update={"working_days": 9, "ready_from": time(17)}
                        ),
                    }
                )
                for practice in directory.practices
            )
        }
    )


@pytest.mark.timeout(300)
async def test_a_database_restored_from_before_decides_and_promises_the_same(
    tmp_path: Path, table: Table
) -> None:
    """Given a directory and overviews that changed after the backup; when the databases are restored; then
    every order keeps its published decision and promise, although the new rules would give others.
    """
    data, backup = tmp_path / "data", tmp_path / "databases.tar.gz"
    async with running(data) as stack:
        directory = read_directory(EXAMPLE)
        await apply_directory(stack.kafka, directory)
        await until_known(stack.endpoints, stack.token(Party.PORTAL))
        load = Load(stack.endpoints, Permitted(stack.token), tmp_path / "history.jsonl")
        async with load.running(PER_S):
            await asyncio.sleep(2)
        await _rest(stack)
        await dump_databases(DataFolder(data), stack.postgres, backup, REPORT)
        async with load.running(PER_S):
            await asyncio.sleep(3)
            await _cancel_some(stack, load)
        await _rest(stack)
        await _stop_all_metformine(stack, load)
        await _rest(stack)
        await apply_directory(stack.kafka, otherwise(directory))
        before = {topic: await _told(stack, topic) for topic in TOLD}
    await restore_databases(backup, DataFolder(data), REPORT)
    async with running(data) as stack:
        late = Load(stack.endpoints, Permitted(stack.token), tmp_path / "history.jsonl")
        async with late.running(PER_S):
            await asyncio.sleep(2)
        # Who asked since the backup is on Kafka, but the entries about it are lost with the databases.
        row = await Judge(stack, table).judge(
            late, "databases restored from an older backup", "all", lost=("audit_missing",)
        )
        after = {topic: await _told(stack, topic) for topic in TOLD}
    assert row.clean
    for topic in TOLD:
        assert after[topic].items() >= before[topic].items()
    assert len(after[TOLD[0]]) > len(before[TOLD[0]])


TOLD = (
    topics.ORDERS_EVENTS.name,
    topics.NOTIFICATIONS_EVENTS.name,
    topics.MEDICATION_STATUS.name,
    topics.prescriptions("02999001").name,
)


async def _rest(stack: LocalStack) -> None:
    left = await wait_until_at_rest(stack.kafka, stack.postgres, 60)
    assert not left, left


async def _told(stack: LocalStack, topic: str) -> dict[str | None, bytes | None]:
    """The records on a topic: value by `ce_id`. Fails when one id has two values."""
    told: dict[str | None, bytes | None] = {}
    for record in await read_all(stack.kafka, topic):
        ce_id = header(record, "ce_id")
        assert told.setdefault(ce_id, record.value) == record.value, f"{ce_id} was told twice"
    return told


async def _cancel_some(stack: LocalStack, load: Load) -> None:
    """Place 20 orders of one patient and cancel every second one."""
    orders = [an_order(load.patients[1], METFORMINE) for _ in range(20)]
    commands = [*orders, *(a_cancellation(order) for order in orders[::2])]
    await send(stack.kafka, [sent(topics.ORDERS_REQUESTS.name, command) for command in commands])


async def _stop_all_metformine(stack: LocalStack, load: Load) -> None:
    """Set metformine to stopped for every patient, so that it cannot be ordered."""
    stopped = (entry(METFORMINE, Status.STOPPED), entry(OMEPRAZOL))
    changes = [an_import(patient, *stopped) for patient in load.patients]
    await send(stack.kafka, [sent(topics.MEDICATION_CHANGES.name, change) for change in changes])
