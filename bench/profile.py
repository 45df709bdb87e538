"""Profiles our worker with py-spy, from outside the process.

Only CPU time is sampled, not the time of waiting for PostgreSQL or Kafka.
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
from bench.validation import EngineRun, Job, run_engine

RATE = 200
"""Samples a second."""

_SHOWN = 40
_STARTING = "_find_and_load"
_OURS = re.compile(r"\((?:runtime|services|schemas)/")


@dataclass(frozen=True)
class Profile:
    """Microseconds per order by function: `self_us` without its callees, `whole_us` with them."""

    run: EngineRun
    total_us: float
    self_us: dict[str, float]
    whole_us: dict[str, float]

    def markdown(self) -> str:
        """Format the tables."""
        return "\n".join(
            [
                f"# Profile of {self.run.engine}, {self.run.orders:,} orders\n",
                f"{self.run.verdict.per_s:,.0f} orders/s while profiled;"
                f" {self.total_us:.1f} µs of CPU time per order.\n",
                _table("With callees, our own functions", self.whole_us, _OURS),
                _table("Without callees", self.self_us, re.compile("")),
            ]
        )


async def profile(arena: Arena, engine: Engine, whole: Job, stacks: Path) -> Profile:
    """Run our engine and profile its first worker; the stacks stay in a file.

    Raises BenchError when the run or the profiler fails.
    """

    @asynccontextmanager
    async def profiler(running: Processes) -> AsyncIterator[None]:
        async with _spy(running.pids[0], stacks):
            yield

    played = await run_engine(arena, engine, whole, profiler)
    return sum_stacks(_lines(stacks), played)


def sum_stacks(stacks: Iterable[str], played: EngineRun) -> Profile:
    """Sum collapsed stacks, one a line: `outer;inner count`, without those of imports at the start."""
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
    # Samples also count while another process has the CPU, so they are scaled to the measured CPU time.
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
            f"py-spy could not profile the worker (log: {stacks.with_suffix('.log')})."
        )
    return stacks.read_text().splitlines()


def _without_line(frame: str) -> str:
    return re.sub(r":\d+\)$", ")", frame)


def _table(title: str, functions: dict[str, float], only: re.Pattern[str]) -> str:
    rows = [(name, us) for name, us in functions.items() if only.search(name)][:_SHOWN]
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
        _, errors = await spy.communicate()
        stacks.with_suffix(".log").write_bytes(errors)
