"""Build the bulk in several processes, each with some of the partitions."""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from runtime.errors import CannotRun
from runtime.rebuild.part import Answer, Built, Ended, Failed, Part, Target

ROOT = Path(__file__).parents[2]

_END_S = 5.0
"""How long a process may take to end after its standard input closes."""

_decode = msgspec.json.Decoder(Answer).decode


class PartFailed(CannotRun):
    """A process could not build its part."""


def distribute(sizes: Iterable[tuple[Target, int]], processes: int) -> list[list[Target]]:
    """Distribute targets over processes by their number of records, the largest first."""
    parts: list[list[Target]] = [[] for _ in range(processes)]
    loads = [0] * processes
    for target, records in sorted(sizes, key=lambda sized: -sized[1]):
        least = loads.index(min(loads))
        parts[least].append(target)
        loads[least] += records
    return [part for part in parts if part]


async def build_parts(parts: Sequence[Part], on_built: Callable[[int], None]) -> Counter[str]:
    """Build parts at the same time; return the number of dead letters by reason.

    `on_built` is called with the number of records whenever some are built. Raises PartFailed when a part
    cannot be built; the other processes are ended.
    """
    refused: Counter[str] = Counter()
    try:
        async with asyncio.TaskGroup() as building:
            tasks = [building.create_task(_build(part, on_built)) for part in parts]
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None
    for task in tasks:
        refused.update(task.result())
    return refused


async def _build(part: Part, on_built: Callable[[int], None]) -> dict[str, int]:
    async with _process(part) as process:
        assert process.stdout is not None
        async for line in process.stdout:
            match _decode(line):
                case Built(records):
                    on_built(records)
                case Ended(refused):
                    return refused
                case Failed(error, why):
                    raise PartFailed(why or f"building failed ({error})")
        raise PartFailed(f"a building process ended by itself (exit code {await process.wait()})")


@asynccontextmanager
async def _process(part: Part) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "runtime.rebuild.part"),
        stdin=PIPE,
        stdout=PIPE,
        cwd=ROOT,
        # Ctrl-C in a terminal must reach the parent only; closing standard input ends these processes.
        start_new_session=True,
    )
    assert process.stdin is not None
    try:
        process.stdin.write(msgspec.json.encode(part) + b"\n")
        yield process
    finally:
        process.stdin.close()
        try:
            async with asyncio.timeout(_END_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
