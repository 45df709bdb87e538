"""A supervised process: started again when it dies, stopped, killed, and quoted when it does not start."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from deploy.local import StackError
from deploy.local.processes.process import (
    HERE,
    ROTATE_BYTES,
    Program,
    describe_code,
    rotate,
    run,
)
from deploy.local.processes.supervisor import Child
from tests.harness.processes import Heard, eventually, tree


async def always_ready() -> str | None:
    return None


@asynccontextmanager
async def supervised(
    log: Path, *argv: str, probe: Callable[[], Awaitable[str | None]] = always_ready
) -> AsyncIterator[tuple[Child, Heard]]:
    heard = Heard()
    child = Child(Program("dummy", argv, log), probe, heard)
    await child.start()
    try:
        yield child, heard
    finally:
        await child.kill()


async def test_a_service_that_dies_is_started_again_with_a_line_that_says_so(
    tmp_path: Path,
) -> None:
    async with supervised(tmp_path / "log", "sleep", "60") as (child, heard):
        first = child.pid
        os.kill(first, signal.SIGKILL)
        await eventually(lambda: child.running and child.pid != first)
        assert heard.lines == [
            f"dummy ended (signal 9); starting it again in 0.5 s. Its log: {tmp_path / 'log'}"
        ]


async def test_a_service_that_is_killed_on_purpose_stays_down_until_it_is_started(
    tmp_path: Path,
) -> None:
    async with supervised(tmp_path / "log", "sleep", "60") as (child, heard):
        await child.kill()
        await asyncio.sleep(0.7)
        assert not child.running
        await child.start()
        assert child.running
        assert heard.lines == []


DEAF = ("sh", "-c", "trap '' TERM; echo deaf; while :; do sleep 1; done")


async def test_a_process_that_does_not_stop_is_killed_with_a_line_that_says_so(
    tmp_path: Path,
) -> None:
    log = tmp_path / "log"
    async with supervised(log, *DEAF) as (child, heard):
        await eventually(lambda: "deaf" in log.read_text())
        processes = tree(child.pid)
        await child.stop(within_s=0.3)
        assert heard.lines == ["dummy did not stop in time and was killed."]
        assert not any(process.is_running() for process in processes)


async def test_a_hurry_does_not_wait_for_one_that_is_slow_to_stop(tmp_path: Path) -> None:
    log = tmp_path / "log"
    async with supervised(log, *DEAF) as (child, _):
        await eventually(lambda: "deaf" in log.read_text())
        child.hurry()
        async with asyncio.timeout(3):
            await child.stop(within_s=30)


async def never() -> str | None:
    return "nothing listens"


async def test_a_program_that_ends_at_its_start_is_told_with_the_cause(tmp_path: Path) -> None:
    log = tmp_path / "log"
    script = "echo initdb: error: no such disk; echo bye; exit 3"
    async with supervised(log, "sh", "-c", script, probe=never) as (child, _):
        with pytest.raises(StackError) as error:
            await child.ready(within_s=10)
    assert str(error.value) == (f"dummy did not start: no such disk (exit code 3; log: {log}).")


async def test_the_cause_of_an_earlier_run_is_not_the_cause_of_this_one(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("initdb: error: no such disk\n")
    async with supervised(log, "sh", "-c", "exit 3", probe=never) as (child, _):
        with pytest.raises(StackError, match="dummy did not start: it does not say why"):
            await child.ready(within_s=10)


async def test_a_program_that_was_killed_is_not_quoted(tmp_path: Path) -> None:
    log = tmp_path / "log"
    async with supervised(log, "sh", "-c", "echo all is well; kill -9 $$", probe=never) as (
        child,
        _,
    ):
        with pytest.raises(StackError, match=r"it was killed, .* memory .*\(signal 9"):
            await child.ready(within_s=10)


async def test_the_working_folder_is_called_by_its_name_in_a_cause(tmp_path: Path) -> None:
    script = f"echo initdb: error: cannot read {HERE}/x; exit 1"
    program = Program("dummy", ["sh", "-c", script], tmp_path / "log", cwd=tmp_path)
    with pytest.raises(
        StackError, match=f"Making it failed: cannot read {tmp_path}/x .exit code 1"
    ):
        await run(program, "Making it")


def test_an_end_is_described_by_its_exit_code_or_signal() -> None:
    assert describe_code(1) == "exit code 1"
    assert describe_code(-15) == "signal 15"


def test_a_log_that_has_grown_large_is_begun_anew(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert rotate(log) == 0
    log.write_text("x" * 100)
    assert rotate(log) == 100
    with log.open("r+b") as file:
        file.truncate(ROTATE_BYTES + 1)
    assert rotate(log) == 0
    assert not log.exists()
