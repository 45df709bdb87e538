"""Jars from Maven, fetched once into a folder of the cache."""

import asyncio
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from deploy.local.cache import held
from deploy.local.errors import StackError
from deploy.local.processes.process import Program, kill_tree
from deploy.local.report import Report

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Jars:
    """What to fetch: its name for a person, Maven's coordinates, and about how much it is."""

    what: str
    coordinates: str
    megabytes: int


async def fetched(jars: Jars, folder: Path, report: Report) -> tuple[Path, ...]:
    """The jars in `folder/libs`, fetched first when they are not there.

    Raises StackError when they cannot be fetched.
    """
    libs = folder / "libs"
    if not libs.exists():
        async with held(folder.with_name(f"{folder.name}.lock")):
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
    """Fetches in a process of its own, showing how far it is."""
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
