"""Where the time of our loop goes, by a profiler that looks at the worker from outside (py-spy).

Samples while the worker runs on a processor, so waiting for PostgreSQL or Kafka does not show.
"""

import asyncio
import re
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.arena import Arena
from bench.engines.engine import Engine
from bench.errors import BenchError
from bench.process import Processes
from bench.validation import Job, Played, play

RATE = 200
"""Samples a second."""

_SHOWN = 40
_STARTING = "_find_and_load"
_OURS = re.compile(r"\((?:runtime|services|schemas)/")


@dataclass(frozen=True)
class Profile:
    """Microseconds an order by function: `self_us` in it alone, `whole_us` with what it calls."""

    run: Played
    total_us: float
    self_us: dict[str, float]
    whole_us: dict[str, float]

    def markdown(self) -> str:
        """The tables."""
        return "\n".join(
            [
                f"# Profile of {self.run.engine}, {self.run.orders:,} orders\n",
                f"{self.run.verdict.per_s:,.0f} orders/s while it was looked at;"
                f" {self.total_us:.1f} µs of processor an order.\n",
                _table("With what it calls, our own functions", self.whole_us, _OURS),
                _table("In it alone", self.self_us, re.compile("")),
            ]
        )


async def profile(arena: Arena, engine: Engine, whole: Job, stacks: Path) -> Profile:
    """One run of our engine, its first worker looked at; its stacks stay in a file.

    Raises BenchError when the run fails, or the profiler does.
    """

    @asynccontextmanager
    async def looking(running: Processes) -> AsyncIterator[None]:
        async with _spy(running.pids[0], stacks):
            yield

    played = await play(arena, engine, whole, looking)
    return summed(_lines(stacks), played)


def summed(stacks: Iterable[str], played: Played) -> Profile:
    """Adds up collapsed stacks, one a line: `outer;inner count`. The start of the process is left out."""
    alone: Counter[str] = Counter()
    whole: Counter[str] = Counter()
    samples = 0
    for line in stacks:
        frames, _, count = line.rpartition(" ")
        if _STARTING in frames:
            continue
        names = [_without_line(frame) for frame in frames.split(";")]
        samples += int(count)
        alone[names[-1]] += int(count)
        whole.update(dict.fromkeys(names, int(count)))
    # A sample also counts while others hold the processor: what the worker used is told by the system.
    total_us = played.cpu_us.get("engine", 0.0)
    us = total_us / max(1, samples)
    return Profile(
        played,
        total_us,
        {name: count * us for name, count in alone.most_common()},
        {name: count * us for name, count in whole.most_common()},
    )


def _lines(stacks: Path) -> list[str]:
    if not stacks.exists():
        raise BenchError(
            f"py-spy could not look at the worker (log: {stacks.with_suffix('.log')})."
        )
    return stacks.read_text().splitlines()


def _without_line(frame: str) -> str:
    return re.sub(r":\d+\)$", ")", frame)


def _table(title: str, found: dict[str, float], only: re.Pattern[str]) -> str:
    rows = [(name, us) for name, us in found.items() if only.search(name)][:_SHOWN]
    lines = "".join(f"| `{name}` | {us:.1f} |\n" for name, us in rows)
    return f"## {title}\n\n| function | µs an order |\n|---|--:|\n{lines}"


@asynccontextmanager
async def _spy(pid: int, stacks: Path) -> AsyncIterator[None]:
    program = Path(sys.executable).with_name("py-spy")
    options = ["--format", "raw", "--rate", str(RATE), "--output", str(stacks), "--nonblocking"]
    spy = await asyncio.create_subprocess_exec(
        str(program),
        "record",
        "--pid",
        str(pid),
        *options,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield
    finally:
        if spy.returncode is None:
            spy.send_signal(signal.SIGINT)
        _, told = await spy.communicate()
        stacks.with_suffix(".log").write_bytes(told)
