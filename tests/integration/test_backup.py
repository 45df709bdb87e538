"""Given a backup of a stack, when it is restored elsewhere, then the new stack has the same data and goes on.

For databases older than their Kafka, see tests/faults/test_restore.py.
"""

import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest
from aiokafka import ConsumerRecord

from cli.directory import apply_directory, read_directory
from cli.topics.commands import prepare
from cli.up import start_everything
from deploy.local import LocalStack, PlainReport, StackError, StackOptions, free_ports
from deploy.local.backup.cold import back_up, restore
from deploy.local.backup.dumps import dump_databases, restore_databases
from deploy.local.data import DataFolder
from schemas import topics
from schemas.records.orders import OrderPlace
from tests.harness.kafka import header, read_all, records_of, send, sent
from tests.harness.made import a_patient, an_import, an_order
from tests.integration.conftest import EXAMPLE

REPORT = PlainReport()
NAME = "zoë’s huis"
"""Kafka once read such a name as Latin-1, wrote beside the folder, and was missing in the backup."""

EVENTS = topics.ORDERS_EVENTS.name


@asynccontextmanager
async def running(data: Path) -> AsyncIterator[LocalStack]:
    """Run a whole stack on this folder, on free ports."""
    async with LocalStack(StackOptions.at(data, free_ports())) as stack:
        await start_everything(stack)
        yield stack


async def order(stack: LocalStack, patient: str, count: int) -> list[OrderPlace]:
    """Place orders and wait until each is decided."""
    orders = [an_order(patient) for _ in range(count)]
    before = len(await events(stack))
    await send(stack.kafka, [sent(topics.ORDERS_REQUESTS.name, o) for o in orders])
    await records_of(stack.kafka, EVENTS, [patient], before + count)
    return orders


async def events(stack: LocalStack) -> list[ConsumerRecord]:
    return await read_all(stack.kafka, EVENTS)


async def stored(stack: LocalStack) -> set[str]:
    """Return the ids of the orders in ordering's database."""
    db = await asyncpg.connect(stack.databases["ordering"])
    try:
        return {str(row["order_id"]) for row in await db.fetch("select order_id from orders")}
    finally:
        await db.close()


@pytest.fixture(scope="module")
async def backed_up(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, Path, str, list[ConsumerRecord]]:
    """Return a stopped stack's folder, its backup file, its patient, and its events."""
    folder = tmp_path_factory.mktemp("backup")
    patient = a_patient()
    async with running(folder / NAME) as stack:
        await apply_directory(stack.kafka, read_directory(EXAMPLE))
        await send(stack.kafka, [sent(topics.MEDICATION_CHANGES.name, an_import(patient))])
        await records_of(stack.kafka, topics.MEDICATION_STATUS.name, [patient], at_least=1)
        await order(stack, patient, 5)
        with pytest.raises(StackError, match=r"is running on .* use --databases-only"):
            back_up(DataFolder(folder / NAME), folder / "too-early.tar.gz", REPORT)
    async with running(folder / NAME) as stack:
        there = await events(stack)
    file = folder / "stack.tar.gz"
    await asyncio.to_thread(back_up, DataFolder(folder / NAME), file, REPORT)
    return folder / NAME, file, patient, there


async def test_a_stack_brought_back_elsewhere_has_everything_and_goes_on(
    backed_up: tuple[Path, Path, str, list[ConsumerRecord]], tmp_path: Path
) -> None:
    _, file, patient, there = backed_up
    await asyncio.to_thread(restore, file, DataFolder(tmp_path / NAME), REPORT)
    async with running(tmp_path / NAME) as stack:
        same = await events(stack)
        assert [(r.partition, r.offset, r.timestamp, r.key, r.value) for r in same] == [
            (r.partition, r.offset, r.timestamp, r.key, r.value) for r in there
        ]
        assert await stored(stack) == {header(r, "ce_subject") for r in there}
        more = await order(stack, patient, 3)
        after = await events(stack)
        assert len(after) == len(there) + 3, "nothing was decided again"
        assert {str(o.order_id) for o in more} <= await stored(stack)


def test_a_topic_that_the_folder_lacks_is_missed(
    backed_up: tuple[Path, Path, str, list[ConsumerRecord]], tmp_path: Path
) -> None:
    """Given a stopped stack from which the folder of a partition vanished; then no backup is made."""
    data, *_ = backed_up
    partition = data / "kafka-1" / "log" / f"{EVENTS}-0"
    partition.rename(tmp_path / "vanished")
    try:
        with pytest.raises(StackError, match=rf"not be complete: .* in kafka-1/log/{EVENTS}-0,"):
            back_up(DataFolder(data), tmp_path / "x.tar.gz", REPORT)
        assert not (tmp_path / "x.tar.gz").exists()
    finally:
        (tmp_path / "vanished").rename(partition)


async def test_a_kafka_that_keeps_its_log_elsewhere_is_noticed_at_the_start(tmp_path: Path) -> None:
    elsewhere = {"log.dirs": str(tmp_path / "elsewhere")}
    options = replace(StackOptions.at(tmp_path / "data", free_ports()), kafka_settings=elsewhere)
    async with LocalStack(options) as stack:
        await stack.start_servers()
        await prepare(stack.kafka, 1)
        await stack.note_contents()
        with pytest.raises(StackError, match=r"elsewhere than in .* it has kafka-1/log/access"):
            await stack.require_contents(within_s=0)


def test_a_folder_that_is_not_empty_is_refused_and_left_as_it_was(
    backed_up: tuple[Path, Path, str, list[ConsumerRecord]], tmp_path: Path
) -> None:
    (tmp_path / "mine").write_text("kept")
    with pytest.raises(StackError, match="is not empty"):
        restore(backed_up[1], DataFolder(tmp_path), REPORT)
    assert [entry.name for entry in tmp_path.iterdir()] == ["mine"]


@pytest.mark.parametrize("at", [0.001, 0.5, 0.99])
def test_a_backup_that_was_cut_off_restores_nothing(
    backed_up: tuple[Path, Path, str, list[ConsumerRecord]], tmp_path: Path, at: float
) -> None:
    whole = backed_up[1].read_bytes()
    cut = tmp_path / "cut.tar.gz"
    cut.write_bytes(whole[: int(len(whole) * at)])
    with pytest.raises(StackError, match="damaged, cut off, or no backup"):
        restore(cut, DataFolder(tmp_path / "data"), REPORT)
    assert [entry.name for entry in (tmp_path / "data").iterdir()] == ["lock"]


def test_a_backup_in_which_a_byte_changed_restores_nothing(
    backed_up: tuple[Path, Path, str, list[ConsumerRecord]], tmp_path: Path
) -> None:
    content = bytearray(gzip.decompress(backed_up[1].read_bytes()))
    place = content.index(b"Metformine 500 mg tablet")
    content[place] ^= 1
    spoilt = tmp_path / "spoilt.tar.gz"
    spoilt.write_bytes(gzip.compress(content, 1))
    with pytest.raises(StackError, match="is not as it was when it was backed up"):
        restore(spoilt, DataFolder(tmp_path / "data"), REPORT)
    assert [entry.name for entry in (tmp_path / "data").iterdir()] == ["lock"]


def test_a_backup_is_readable_by_its_owner_only_and_never_overwritten(
    backed_up: tuple[Path, Path, str, list[ConsumerRecord]],
) -> None:
    data, file, *_ = backed_up
    assert file.stat().st_mode & 0o777 == 0o600
    before = file.read_bytes()
    with pytest.raises(StackError, match="is there already"):
        back_up(DataFolder(data), file, REPORT)
    assert file.read_bytes() == before


async def test_databases_of_another_stack_are_refused(
    backed_up: tuple[Path, Path, str, list[ConsumerRecord]], tmp_path: Path
) -> None:
    other = tmp_path / "other"
    async with LocalStack(StackOptions.at(other, free_ports())) as stack:
        await stack.start_postgres()
        await dump_databases(DataFolder(other), stack.postgres, tmp_path / "x.tar.gz", REPORT)
    with pytest.raises(StackError, match="belongs to another stack"):
        await restore_databases(tmp_path / "x.tar.gz", DataFolder(backed_up[0]), REPORT)
    with pytest.raises(StackError, match="holds databases only"):
        restore(tmp_path / "x.tar.gz", DataFolder(tmp_path / "new"), REPORT)
