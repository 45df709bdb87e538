"""Starts programs that never outlive this process."""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from deploy.local.errors import StackError
from deploy.local.postgres.account import Account
from deploy.local.processes.cause import cause, last_line

CHILD = Path(__file__).with_name("child.py")
HERE = "/proc/self/cwd" if sys.platform.startswith("linux") else "."
"""A program's working folder, in the program's own words.

Servers get it instead of the data folder's path. A path may contain any byte but 0, and Java, the list in
`log.dirs`, properties files and `postmaster.pid` each take other ones for something else.
"""

ROTATE_BYTES = 20 << 20
READ_BYTES = 256 << 10
"""How much of a log is read for the cause of an end."""

GONE_S = 3.0


@dataclass(frozen=True)
class Program:
    """A program to run: its arguments, environment, log file and signals.

    It gets `death_signal` when this process dies without having stopped it.
    """

    name: str
    argv: Sequence[str]
    log: Path
    env: Mapping[str, str] = field(default_factory=lambda: dict(os.environ), repr=False)
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGKILL
    account: Account | None = None
    cwd: Path = Path("/")

    @property
    def command(self) -> list[str]:
        """The command line, through child.py, so that the program dies with this process."""
        account = self.account or Account(-1, -1)
        options = (os.getpid(), int(self.death_signal), account.uid, account.gid)
        return [sys.executable, "-I", "-S", str(CHILD), *map(str, options), *self.argv]


async def spawn(program: Program) -> asyncio.subprocess.Process:
    """Start a program in a new process group, which Ctrl-C does not reach, with its output in its log file.

    It stays in our session: Linux schedules by session, and with a session for each process an idle service
    would wait for tens of milliseconds while another is busy.
    """
    rotate(program.log)
    with program.log.open("ab") as log:
        return await asyncio.create_subprocess_exec(
            *program.command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=asyncio.subprocess.STDOUT,
            env=dict(program.env),
            cwd=program.cwd,
            process_group=0,
        )


async def run(program: Program, what: str) -> None:
    """Run a program to its end; kill it when cancelled.

    Raises StackError with `what` and the cause when it fails.
    """
    begin = rotate(program.log)
    process = await spawn(program)
    try:
        code = await process.wait()
    finally:
        if process.returncode is None:
            await kill_tree(process)
    if code != 0:
        raise StackError(f"{what} failed: {describe_end(program, code, begin)}.")


async def kill_tree(process: asyncio.subprocess.Process) -> None:
    """Kill a process and its descendants with SIGKILL; wait until they are gone."""
    descendants = _kill(process.pid)
    await process.wait()
    # asyncio waits for the child itself. Its descendants are children of init now.
    await asyncio.to_thread(psutil.wait_procs, descendants, GONE_S)


def _kill(pid: int) -> list[psutil.Process]:
    """Kill a process and its descendants; return the descendants."""
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        descendants = process.children(recursive=True)
        for one in (process, *descendants):
            with suppress(psutil.NoSuchProcess):
                one.kill()
        return descendants
    return []


def describe_end(program: Program, code: int, begin: int) -> str:
    """Describe why a program ended, by its exit code and what it logged from byte `begin` on."""
    return f"{_why(program, code, begin)} ({describe_code(code)}; log: {program.log})"


def describe_code(code: int) -> str:
    """Describe an exit code; a negative one is the signal that ended the process."""
    return f"signal {-code}" if code < 0 else f"exit code {code}"


def _why(program: Program, code: int, begin: int) -> str:
    # Somebody else's doing: what the program logged is not the cause.
    if code == -signal.SIGKILL:
        return "it was killed, as happens when memory runs out"
    if code == -signal.SIGTERM:
        return "it was told to stop"
    log = _read(program.log, begin).replace(HERE, str(program.cwd))
    return cause(log) or last_line(log) or "it does not say why"


def rotate(log: Path) -> int:
    """Start a new log when it has grown large. Return its size: where the next run will begin."""
    size = log.stat().st_size if log.exists() else 0
    if size <= ROTATE_BYTES:
        return size
    log.replace(log.with_name(f"{log.name}.1"))
    return 0


def _read(log: Path, begin: int) -> str:
    """Read the end of what was logged since `begin`."""
    with log.open("rb") as file:
        file.seek(max(begin, log.stat().st_size - READ_BYTES))
        return file.read().decode(errors="replace")
