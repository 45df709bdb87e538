"""PostgreSQL on a small disk that is full for a while, under a load.

A statement that needs more space fails. When the write-ahead log needs more, the server panics, and its
supervisor restarts it until there is space.
"""

from pathlib import Path

import asyncpg
import pytest

from deploy.local import LocalStack
from samples.callers import Permitted
from tests.faults.clients import Answer
from tests.faults.conftest import everything
from tests.faults.database import administrator
from tests.faults.load import Load
from tests.faults.rows import Judge
from tests.faults.small_disk import CannotMount, SmallDisk, mounted, moved_to_small_disk
from tests.faults.table import Row, Table
from tests.faults.watch import now, watching
from tests.harness.kafka import eventually

PER_S = 60.0
DISK_MB = 400
REFUSALS = 20
"""This many answers of 503 show that the services notice the full disk."""


_WRITE_1_MB_AHEAD = "select pg_logical_emit_message(true, 'ballast', repeat('x', 1 << 20))"


@pytest.fixture
def _may_mount(tmp_path: Path) -> None:
    folder = tmp_path / "probe"
    folder.mkdir()
    try:
        with mounted(folder, 1):
            pass
    except CannotMount as why:
        pytest.skip(f"to fill a disk this test mounts a small one, which this user may not: {why}")


@pytest.mark.usefixtures("_may_mount")
async def test_a_full_disk_refuses_and_holds_and_loses_nothing(
    table: Table, tmp_path: Path
) -> None:
    async with everything(tmp_path / "stack") as stack:
        await stack.stop("postgres", 10)
        with moved_to_small_disk(stack.data.postgres, DISK_MB) as disk:
            await stack.start("postgres")
            await stack.services_ready()
            load = Load(stack.endpoints, Permitted(stack.token), tmp_path / "history.jsonl")
            row, while_full = await _filled(stack, disk, load, Judge(stack, table))
            await stack.stop("postgres", 10)
    assert row.clean
    assert {answer.status for answer in while_full} <= {200, 202, 404, 503, None}
    assert all(answer.retry_after for answer in while_full if answer.status == 503)


async def _filled(
    stack: LocalStack, disk: SmallDisk, load: Load, judge: Judge
) -> tuple[Row, list[Answer]]:
    """Fill the disk under a load, then free it; return the row, and the HTTP answers while it was full."""
    async with watching(stack) as watch, load.running(PER_S):
        await watch.recovery(now())
        disk.fill()
        full_s = now().monotonic_s

        async def refusals() -> int:
            return sum(a.status == 503 and a.sent_s > full_s for a in load.answers)

        await eventually(refusals, lambda count: count >= REFUSALS, within_s=60)
        with pytest.raises(asyncpg.PostgresConnectionError):
            await _write_ahead(stack, DISK_MB)
        while_full = [answer for answer in load.answers if answer.sent_s > full_s]
        disk.free()
        recovery_s = await watch.recovery(now())
    what = "PostgreSQL's disk full, then its panic"
    return await judge.judge(load, what, "all", recovery_s), while_full


async def _write_ahead(stack: LocalStack, megabytes: int) -> None:
    """Fill the existing segments of the write-ahead log, so that PostgreSQL needs another."""
    async with administrator(stack, "ordering") as db:
        for _ in range(megabytes):
            await db.execute(_WRITE_1_MB_AHEAD)
