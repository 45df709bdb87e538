"""Downloads jars from Maven once, into a folder of the cache."""

import asyncio
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from deploy.local.cache import file_lock
from deploy.local.errors import StackError
from deploy.local.processes.process import Program, kill_tree
from deploy.local.report import Report

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Jars:
    """What to download: its name for the user, Maven coordinates, approximate size."""

    what: str
    coordinates: str
    megabytes: int


async def ensure_jars(jars: Jars, folder: Path, report: Report) -> tuple[Path, ...]:
    """List the jars in `folder/libs`; download them first when needed.

    Raises StackError when they cannot be downloaded.
    """
    libs = folder / "libs"
    if not libs.exists():
        async with file_lock(folder.with_name(f"{folder.name}.lock")):
            if not libs.exists():
                partial = _emptied(folder / "libs.partial")
                await _fetch(jars, partial, folder / "fetch.log", report)
                partial.rename(libs)
    return tuple(sorted(libs.glob("*.jar")))


def _emptied(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


async def _fetch(jars: Jars, partial: Path, log: Path, report: Report) -> None:
    """Download in a separate process, and report its progress."""
    title = f"Downloading {jars.what} (once, about {jars.megabytes} MB)"
    report.status(f"{title} …")
    argv = [sys.executable, "-m", "deploy.local.kafka.fetch_jars", jars.coordinates, str(partial)]
    program = Program(f"{jars.what}'s download", argv, log)
    with log.open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            *program.command, stdout=asyncio.subprocess.PIPE, stderr=errors, cwd=ROOT
        )
    try:
        await _show(process, title, report)
    finally:
        if process.returncode is None:
            await kill_tree(process)
    if process.returncode != 0:
        raise StackError(
            f"{jars.what} could not be downloaded; is there a network?"
            f" It is needed only once (log: {log})."
        )


async def _show(process: asyncio.subprocess.Process, title: str, report: Report) -> None:
    assert process.stdout is not None
    async for line in process.stdout:
        done, total = line.split()
        report.status(f"{title}: {int(done)} of {int(total)} files")
    await process.wait()
