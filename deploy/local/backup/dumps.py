"""Backs up the four databases while the stack runs, and restores them under a newer Kafka.

Each dump is a consistent snapshot of one database. The offsets are stored beside the state, so a service
with an older database continues at the older offsets and makes the same decisions again.
"""

import os
import tempfile
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

import asyncpg

from deploy.local.backup.archive import FORMAT, Manifest, new_archive, unpack
from deploy.local.backup.cold import now, versions
from deploy.local.contents import POSTGRES, write_contents
from deploy.local.data import DataFolder, Identity
from deploy.local.errors import StackError
from deploy.local.options import StackOptions
from deploy.local.ports import SERVICES, free_ports
from deploy.local.postgres.databases import ensure_databases, grant_rows, owner_role
from deploy.local.postgres.server import postgres_binaries
from deploy.local.processes.process import Program, run
from deploy.local.report import Report
from deploy.local.stack import LocalStack
from runtime.postgres.sessions import OPERATOR_SESSION


async def dump_databases(data: DataFolder, admin_dsn: str, file: Path, report: Report) -> Manifest:
    """Write the databases of a running stack into a new file.

    Raises StackError when PostgreSQL is unavailable, or the file cannot be written.
    """
    identity = data.identity()
    with _scratch(data.path) as scratch:
        dumps = {service: Path(scratch) / f"{service}.dump" for service in SERVICES}
        for service, dump in dumps.items():
            report.status(f"Backing up the database of {service} …")
            # The archive compresses.
            options = ["--format=custom", "--compress=0", "--no-owner", f"--file={dump}"]
            await _tool("pg_dump", admin_dsn, service, options, data)
        manifest = _manifest(identity, dumps)
        with new_archive(file, manifest, report) as packer:
            for dump in dumps.values():
                packer.file(dump.name, dump)
    return manifest


async def restore_databases(
    file: Path, data: DataFolder, report: Report, external_postgres: str | None = None
) -> Manifest:
    """Restore databases into a stopped stack: all four, or none.

    Raises StackError when the stack runs, is not the one of the backup, or PostgreSQL refuses.
    """
    identity = data.identity()
    options = StackOptions.at(data.path, free_ports(identity.brokers))
    options = replace(options, external_postgres=external_postgres)
    async with LocalStack(options, report) as stack:
        with _scratch(data.path) as scratch:
            into = Path(scratch) / "dumps"
            manifest = unpack(file, into, lambda m: _accept(m, identity), report)
            report.status("Starting PostgreSQL …")
            await stack.start_postgres()
            await _restore(stack.postgres, into, data, report)
            # The databases have new folders.
            write_contents(data, {POSTGRES: await stack.postgres_contents()})
    return manifest


def _scratch(folder: Path) -> AbstractContextManager[str]:
    return tempfile.TemporaryDirectory(prefix=".databases-", dir=folder)


def _manifest(identity: Identity, dumps: Mapping[str, Path]) -> Manifest:
    return Manifest(
        FORMAT,
        "databases",
        now(),
        identity.kafka_cluster,
        identity.brokers,
        versions(),
        len(dumps),
        sum(dump.stat().st_size for dump in dumps.values()),
    )


def _accept(manifest: Manifest, identity: Identity) -> None:
    if manifest.kind != "databases":
        raise StackError("The backup is of a whole stack: leave out --databases-only.")
    if manifest.kafka_cluster != identity.kafka_cluster:
        raise StackError(
            "The backup belongs to another stack: its databases point at offsets of another Kafka."
        )


async def _restore(admin_dsn: str, dumps: Path, data: DataFolder, report: Report) -> None:
    """Restore into new databases, then swap all four names in one transaction."""
    try:
        admin = await asyncpg.connect(admin_dsn, server_settings=OPERATOR_SESSION)
        try:
            for service in SERVICES:
                report.status(f"Restoring the database of {service} …")
                await _fill(admin, admin_dsn, service, dumps / f"{service}.dump", data)
            async with admin.transaction():
                for service in SERVICES:
                    await admin.execute(f'alter database "{service}" rename to "{_old(service)}"')
                    await admin.execute(f'alter database "{_new(service)}" rename to "{service}"')
            for service in SERVICES:
                await admin.execute(f'drop database "{_old(service)}"')
        finally:
            await admin.close()
        await ensure_databases(admin_dsn)
    except asyncpg.PostgresError as error:
        raise StackError(f"PostgreSQL refuses to restore: {error}.") from error


async def _fill(
    admin: "asyncpg.Connection[asyncpg.Record]",
    admin_dsn: str,
    service: str,
    dump: Path,
    data: DataFolder,
) -> None:
    # Left by an interrupted restore.
    for name in (_new(service), _old(service)):
        await admin.execute(f'drop database if exists "{name}"')
    owner = owner_role(service)
    await admin.execute(f'create database "{_new(service)}" owner "{owner}"')
    # Before the tables, which are then granted as they are made.
    await grant_rows(admin_dsn, _new(service), service)
    options = ["--exit-on-error", "--single-transaction", "--no-owner", "--no-privileges"]
    options += [f"--role={owner}", str(dump)]
    await _tool("pg_restore", admin_dsn, _new(service), options, data)


def _new(service: str) -> str:
    return f"{service}_restoring"


def _old(service: str) -> str:
    return f"{service}_replaced"


async def _tool(
    tool: str, admin_dsn: str, database: str, options: list[str], data: DataFolder
) -> None:
    """Run one of PostgreSQL's programs on a database; the password is passed out of sight of `ps`."""
    parts = urlsplit(admin_dsn)
    host = parts.netloc.rpartition("@")[2]
    dsn = parts._replace(netloc=f"{parts.username}@{host}", path=f"/{database}").geturl()
    env = dict(os.environ)
    if parts.password is not None:
        env["PGPASSWORD"] = unquote(parts.password)
    argv = [str(postgres_binaries(None) / tool), f"--dbname={dsn}", *options]
    log = data.logs / f"{tool}.log"
    await run(Program(tool, argv, log, env=env), f"{tool} of {database}")
