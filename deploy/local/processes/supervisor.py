"""Restarts programs that exit, and stops all of them."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from deploy.local.errors import StackError
from deploy.local.processes.process import (
    Program,
    describe_code,
    describe_end,
    kill_tree,
    rotate,
    spawn,
)
from deploy.local.report import Report

POLL_S = 0.03

Probe = Callable[[], Awaitable[str | None]]
"""Checks whether a program is ready; returns None, or the reason why it is not."""


@dataclass
class Backoff:
    """Seconds to wait before a restart: doubled each time, reset after `healthy_s` of running."""

    first_s: float = 0.5
    most_s: float = 10.0
    healthy_s: float = 30.0
    _next_s: float = 0.0

    def after(self, lived_s: float) -> float:
        """Return the next wait, after the program ran for `lived_s` seconds."""
        if lived_s >= self.healthy_s or self._next_s == 0.0:
            self._next_s = self.first_s
        wait_s, self._next_s = self._next_s, min(self._next_s * 2, self.most_s)
        return wait_s


class Child:
    """One supervised program; restarted when it exits by itself."""

    def __init__(self, program: Program, probe: Probe, report: Report) -> None:
        self.program = program
        self.restarts = 0
        self._probe = probe
        self._report = report
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._hurry = asyncio.Event()
        self._begin = 0
        self._end = ""

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
        """Start it and keep it running; does not wait until it is ready."""
        if self._keeper is not None:
            raise StackError(f"{self.name} is running already.")
        self._process = await self._spawn()
        self._keeper = asyncio.create_task(self._keep(self._process), name=f"keep {self.name}")

    async def ready(self, within_s: float, give_up_after: int = 1) -> None:
        """Wait until its probe succeeds.

        Raises StackError with the reason when that takes longer, or the cause after `give_up_after` exits.
        """
        deadline = time.monotonic() + within_s
        restarts = self.restarts
        while (reason := await self._probe()) is not None:
            if self.restarts - restarts >= give_up_after:
                raise StackError(f"{self.name} did not start: {self._end}.")
            if time.monotonic() >= deadline:
                raise StackError(
                    f"{self.name} was not ready within {within_s:g} s: {reason}"
                    f" (log: {self.program.log})."
                )
            await asyncio.sleep(POLL_S)

    async def stop(self, within_s: float) -> None:
        """Send its stop signal; kill it when it still runs after `within_s` seconds."""
        await self._release()
        process = self._process
        if process is None or process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            process.send_signal(self.program.stop_signal)
        if not await self._ended(process, within_s):
            await kill_tree(process)
            self._report.info(f"{self.name} did not stop in time and was killed.")

    async def kill(self) -> None:
        """Kill it and its descendants with SIGKILL; it stays down until `start`."""
        await self._release()
        if self._process is not None and self._process.returncode is None:
            await kill_tree(self._process)

    def hurry(self) -> None:
        """Make the current or next `stop` kill at once."""
        self._hurry.set()

    async def _release(self) -> None:
        """Stop restarting it."""
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
            self._end = describe_end(self.program, code, self._begin)
            self.restarts += 1
            self._report.info(
                f"{self.name} ended ({describe_code(code)}); starting it again in {wait_s:g} s."
                f" Its log: {self.program.log}"
            )
            await asyncio.sleep(wait_s)
            process = self._process = await self._spawn()

    async def _spawn(self) -> asyncio.subprocess.Process:
        self._begin = rotate(self.program.log)
        return await spawn(self.program)

    async def _ended(self, process: asyncio.subprocess.Process, within_s: float) -> bool:
        """Wait until it exits. Return False when the time is up, or after `hurry`."""
        ended = asyncio.create_task(process.wait())
        hurried = asyncio.create_task(self._hurry.wait())
        await asyncio.wait({ended, hurried}, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
        hurried.cancel()
        if not ended.done():
            ended.cancel()
            return False
        return True


async def stop_all(children: Sequence[Child], within_s: float) -> None:
    """Stop these concurrently."""
    await asyncio.gather(*(child.stop(within_s) for child in children))
