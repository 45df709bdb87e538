"""The processes of one run: start them, stop them, and leave none behind."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, suppress
from types import TracebackType
from typing import Self

from bench.errors import BenchError
from deploy.local.processes.cause import last_line
from deploy.local.processes.process import Program, describe_end, kill_tree, spawn

STOP_S = 25.0


class Processes(AbstractAsyncContextManager["Processes"]):
    """Entering starts programs, leaving stops them. A program that exits by itself makes the run invalid."""

    def __init__(self, programs: Sequence[Program]) -> None:
        self._programs = programs
        self._running: list[asyncio.subprocess.Process] = []
        self.started_s = 0.0
        """Time of the start, by the wall clock."""

    @property
    def pids(self) -> list[int]:
        """Their process ids."""
        return [process.pid for process in self._running]

    @property
    def by_name(self) -> dict[str, int]:
        """Their process ids by name."""
        return {program.name: process.pid for program, process in self._pairs}

    async def __aenter__(self) -> Self:
        self.started_s = time.time()
        for program in self._programs:
            self._running.append(await spawn(program))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await asyncio.gather(*(self._stop(*pair) for pair in self._pairs))

    def require_running(self) -> None:
        """Raise BenchError for a program that has exited, with the cause."""
        for program, process in self._pairs:
            if process.returncode is not None:
                end = describe_end(program, process.returncode, 0)
                raise BenchError(f"{program.name} exited by itself: {end}.")

    @property
    def _pairs(self) -> list[tuple[Program, asyncio.subprocess.Process]]:
        return list(zip(self._programs, self._running, strict=False))

    async def _stop(self, program: Program, process: asyncio.subprocess.Process) -> None:
        with suppress(ProcessLookupError):
            process.send_signal(program.stop_signal)
        try:
            await asyncio.wait_for(process.wait(), STOP_S)
        except TimeoutError:
            await kill_tree(process)
            last = last_line(program.log.read_text(errors="replace"))
            raise BenchError(
                f"{program.name} did not stop within {STOP_S:.0f} s; last logged “{last}”."
            ) from None
        except asyncio.CancelledError:
            await kill_tree(process)
            raise
