"""The bulk, built by several processes, each with some of the partitions."""

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
"""How long a process may take to notice that nobody waits for it."""

_decode = msgspec.json.Decoder(Answer).decode


class PartFailed(CannotRun):
    """A process could not build its part."""


def shared(sizes: Iterable[tuple[Target, int]], processes: int) -> list[list[Target]]:
    """The targets over so many processes, by their number of records, the largest first."""
    parts: list[list[Target]] = [[] for _ in range(processes)]
    loads = [0] * processes
    for target, records in sorted(sizes, key=lambda sized: -sized[1]):
        least = loads.index(min(loads))
        parts[least].append(target)
        loads[least] += records
    return [part for part in parts if part]


async def build_parts(parts: Sequence[Part], told: Callable[[int], None]) -> Counter[str]:
    """Build these at the same time; what the service would bury, by reason.

    `told` is called with the number of records whenever some are built. Raises PartFailed when one
    cannot; the others are ended then.
    """
    refused: Counter[str] = Counter()
    try:
        async with asyncio.TaskGroup() as building:
            tasks = [building.create_task(_build(part, told)) for part in parts]
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None
    for task in tasks:
        refused.update(task.result())
    return refused


async def _build(part: Part, told: Callable[[int], None]) -> dict[str, int]:
    async with _process(part) as process:
        assert process.stdout is not None
        async for line in process.stdout:
            match _decode(line):
                case Built(records):
                    told(records)
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
        # Ctrl-C in a terminal is for the one who asked; these end when it lets go of them.
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
