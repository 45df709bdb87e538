"""Keeps programs running, and stops them all without leaving one behind."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from deploy.local.errors import StackError
from deploy.local.processes.process import Program, kill_tree, last_line, spawn
from deploy.local.report import Report

POLL_S = 0.03

Probe = Callable[[], Awaitable[str | None]]
"""Asks a program whether it is ready: None, or why not."""


@dataclass
class Backoff:
    """Seconds to wait before starting a program again that ended: doubling, anew after good health."""

    first_s: float = 0.5
    most_s: float = 10.0
    healthy_s: float = 30.0
    _next_s: float = 0.0

    def after(self, lived_s: float) -> float:
        """How long to wait now, after it ran for `lived_s` seconds."""
        if lived_s >= self.healthy_s or self._next_s == 0.0:
            self._next_s = self.first_s
        wait_s, self._next_s = self._next_s, min(self._next_s * 2, self.most_s)
        return wait_s


class Child:
    """One program under supervision: started again when it ends by itself."""

    def __init__(self, program: Program, probe: Probe, report: Report) -> None:
        self.program = program
        self.restarts = 0
        self._probe = probe
        self._report = report
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._hurry = asyncio.Event()

    @property
    def name(self) -> str:
        return self.program.name

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    @property
    def pid(self) -> int:
        """The process id. Raises StackError when it is not running."""
        if self._process is None or self._process.returncode is not None:
            raise StackError(f"{self.name} is not running.")
        return self._process.pid

    async def start(self) -> None:
        """Starts it and keeps it running; does not wait until it is ready."""
        if self._keeper is not None:
            raise StackError(f"{self.name} is running already.")
        self._process = await spawn(self.program)
        self._keeper = asyncio.create_task(self._keep(self._process), name=f"keep {self.name}")

    async def ready(self, within_s: float, give_up_after: int = 1) -> None:
        """Waits for its probe.

        Raises StackError with the reason when that takes longer, or when it has ended this often.
        """
        deadline = time.monotonic() + within_s
        restarts = self.restarts
        while (reason := await self._probe()) is not None:
            log = self.program.log
            if self.restarts - restarts >= give_up_after:
                raise StackError(
                    f"{self.name} did not start: it ended, saying “{last_line(log)}” (log: {log})."
                )
            if time.monotonic() >= deadline:
                raise StackError(
                    f"{self.name} was not ready within {within_s:g} s: {reason} (log: {log})."
                )
            await asyncio.sleep(POLL_S)

    async def stop(self, within_s: float) -> None:
        """Asks it to stop, and kills it when it has not after this many seconds."""
        await self._release()
        process = self._process
        if process is None or process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            process.send_signal(self.program.stop_signal)
        if not await self._ended(process, within_s):
            await kill_tree(process)
            self._report.say(f"{self.name} did not stop in time and was killed.")

    async def kill(self) -> None:
        """kill -9 of it and all it started; it stays down until it is started again."""
        await self._release()
        if self._process is not None and self._process.returncode is None:
            await kill_tree(self._process)

    def hurry(self) -> None:
        """Makes a stop that is under way, or comes, kill at once."""
        self._hurry.set()

    async def _release(self) -> None:
        """No longer starts it again."""
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            keeper.cancel()
            await asyncio.wait([keeper])

    async def _keep(self, process: asyncio.subprocess.Process) -> None:
        backoff = Backoff()
        while True:
            started = time.monotonic()
            code = await process.wait()
            wait_s = backoff.after(time.monotonic() - started)
            self.restarts += 1
            self._report.say(
                f"{self.name} ended ({describe_end(code)}); starting it again in {wait_s:g} s."
                f" Its log: {self.program.log}"
            )
            await asyncio.sleep(wait_s)
            process = self._process = await spawn(self.program)

    async def _ended(self, process: asyncio.subprocess.Process, within_s: float) -> bool:
        """Whether it ended in time and nobody was in a hurry."""
        ended = asyncio.create_task(process.wait())
        hurried = asyncio.create_task(self._hurry.wait())
        await asyncio.wait({ended, hurried}, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
        hurried.cancel()
        if not ended.done():
            ended.cancel()
            return False
        return True


def describe_end(code: int) -> str:
    """An exit code in words: negative is the signal that ended it."""
    return f"signal {-code}" if code < 0 else f"exit code {code}"


async def stop_all(children: Sequence[Child], within_s: float) -> None:
    """Stops these together."""
    await asyncio.gather(*(child.stop(within_s) for child in children))
