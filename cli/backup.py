"""`herhaal backup` and `herhaal restore`: a local stack into one file, and back."""

import asyncio
import json
import os
from pathlib import Path

from cli.console import ConsoleReport, stdout
from cli.up import DEFAULT_DATA
from deploy.local.backup.archive import Manifest
from deploy.local.backup.cold import back_up, restore
from deploy.local.backup.dumps import dump_databases, restore_databases
from deploy.local.data import DataFolder
from deploy.local.errors import StackError

_MIB = 1 << 20


def run_backup(file: Path, data: Path | None, databases_only: bool) -> None:
    """Back up a stopped stack, or only the databases of one that runs.

    Raises StackError when that is not what the folder holds, or the file cannot be made.
    """
    folder = DataFolder(data or DEFAULT_DATA)
    with ConsoleReport() as report:
        if databases_only:
            manifest = asyncio.run(dump_databases(folder, _running(folder), file, report))
        else:
            manifest = back_up(folder, file, report)
    _tell(f"{file} is made ({file.stat().st_size // _MIB} MiB)", manifest)


def run_restore(file: Path, data: Path | None, databases_only: bool) -> None:
    """Bring a stack back into an empty folder, or only the databases into a stopped stack.

    Raises StackError when the folder is not so, or the file cannot be used; nothing is changed then.
    """
    folder = DataFolder(data or DEFAULT_DATA)
    postgres = os.environ.get("HERHAAL_POSTGRES")
    with ConsoleReport() as report:
        if databases_only:
            manifest = asyncio.run(restore_databases(file, folder, report, postgres))
        else:
            manifest = restore(file, folder, report)
    _tell(f"{folder.path} is restored; start it with `herhaal up --data {folder.path}`", manifest)


def _running(folder: DataFolder) -> str:
    """The administrator's address of a running stack's PostgreSQL."""
    try:
        dsn: str = json.loads(folder.endpoints.read_text())["postgres"]
    except FileNotFoundError:
        raise StackError(
            f"No stack runs on {folder.path}: start it, or leave out --databases-only."
        ) from None
    return dsn


def _tell(what: str, manifest: Manifest) -> None:
    text = (
        f"{what}: {manifest.files} files, {manifest.size // _MIB} MiB,"
        f" of {manifest.made_at}, Kafka cluster {manifest.kafka_cluster}"
    )
    stdout().print(text, markup=False, highlight=False, soft_wrap=True)
