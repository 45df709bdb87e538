"""`herhaal backup` and `herhaal restore`: write a local stack to one file, and read it back."""

import asyncio
import shlex
from pathlib import Path

from cli.console import ConsoleReport, print_plain, stdout
from cli.postgres import external_postgres, safe_dsn
from cli.up import DEFAULT_DATA
from deploy.local.backup.archive import Manifest
from deploy.local.backup.cold import back_up, restore
from deploy.local.backup.dumps import dump_databases, restore_databases
from deploy.local.data import DataFolder
from deploy.local.errors import StackError

_MIB = 1 << 20

NO_KEYS = (
    "Who patients are stays unreadable without their keys, which are in no backup: before you start it, copy"
    " the folder `people` of the stack, or of that folder's own backup, to"
)


def run_backup(file: Path, data: Path | None, databases_only: bool) -> None:
    """Back up a stopped stack, or only the databases of a running one.

    Raises StackError when the stack is in the other state, or the file cannot be written.
    """
    folder = DataFolder(data or DEFAULT_DATA)
    with ConsoleReport() as report:
        if databases_only:
            manifest = asyncio.run(dump_databases(folder, _admin_dsn(folder), file, report))
        else:
            manifest = back_up(folder, file, report)
    _print_summary(f"{file} is made ({file.stat().st_size // _MIB} MiB)", manifest)


def run_restore(file: Path, data: Path | None, databases_only: bool) -> None:
    """Restore a stack into an empty folder, or only the databases into a stopped stack.

    Raises StackError when the folder is not in that state, or the file cannot be used. Then nothing changes.
    """
    folder = DataFolder(data or DEFAULT_DATA)
    postgres = external_postgres()
    with ConsoleReport() as report:
        if databases_only:
            manifest = asyncio.run(restore_databases(file, folder, report, postgres))
        else:
            manifest = restore(file, folder, report)
    start = shlex.join(["herhaal", "up", "--data", str(folder.path)])
    _print_summary(f"{folder.path} is restored; start it with `{start}`", manifest)
    if not folder.people.exists():
        # A backup with the keys would keep whoever was erased since.
        print_plain(stdout(), f"{NO_KEYS} {folder.people}")


def _admin_dsn(folder: DataFolder) -> str:
    """Read the administrator's DSN of a running stack's PostgreSQL. Raises StackError when none runs."""
    endpoints = folder.running_endpoints()
    if endpoints is None:
        raise StackError(
            f"No stack runs on {folder.path}: start it, or leave out --databases-only."
        )
    return safe_dsn(endpoints["postgres"])


def _print_summary(what: str, manifest: Manifest) -> None:
    text = (
        f"{what}: {manifest.files} files, {manifest.size // _MIB} MiB,"
        f" of {manifest.made_at}, Kafka cluster {manifest.kafka_cluster}"
    )
    print_plain(stdout(), text)
