"""The file of a backup: a gzipped tar that starts with a manifest and ends with the checksums of its files.

It gets its name only when it is complete. An archive with a wrong checksum is not unpacked.
"""

import gzip
import hashlib
import io
import json
import os
import shutil
import tarfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any, Literal

from deploy.local.errors import StackError
from deploy.local.report import Report

FORMAT = 1
"""Increased when an older program cannot read the backup."""

Kind = Literal["stack", "databases"]

_FIRST = "backup.json"
_LAST = "checksums.json"
_BLOCK = 1 << 20
_SPEED = 1
"""gzip's level. Most of the data is small records, which a higher level hardly makes smaller."""
_MIB = 1 << 20


@dataclass(frozen=True)
class Manifest:
    """The first entry of a backup: its kind, time (UTC) and versions.

    `files` and `size` (bytes) describe the content.
    """

    format: int
    kind: Kind
    made_at: str
    kafka_cluster: str
    brokers: int
    versions: Mapping[str, str]
    files: int
    size: int


class Packer:
    """Adds files to an archive, and their checksums at the end."""

    def __init__(self, tar: tarfile.TarFile, manifest: Manifest, report: Report) -> None:
        self._tar = tar
        self._report = report
        self._total = manifest.size
        self._done = 0
        self._sums: dict[str, str] = {}
        self._json(_FIRST, asdict(manifest))

    def folder(self, name: str, mode: int) -> None:
        """Add a folder by its path in the archive."""
        info = tarfile.TarInfo(name)
        info.type, info.mode = tarfile.DIRTYPE, mode & 0o777
        self._tar.addfile(info)

    def file(self, name: str, path: Path) -> None:
        """Add a file by its path in the archive. Raises OSError when it cannot be read."""
        with path.open("rb") as content:
            stat = os.fstat(content.fileno())
            info = tarfile.TarInfo(name)
            info.size, info.mode, info.mtime = stat.st_size, stat.st_mode & 0o777, stat.st_mtime
            reader = _HashingReader(content)
            self._tar.addfile(info, reader)
        self._sums[name] = reader.checksum
        self._done += info.size
        self._report.status(_progress("Backing up", self._done, self._total))

    def end(self) -> None:
        """Add the checksums as the last entry."""
        self._json(_LAST, self._sums)

    def _json(self, name: str, content: Mapping[str, Any]) -> None:
        data = json.dumps(content, indent=2).encode()
        info = tarfile.TarInfo(name)
        info.size, info.mode = len(data), 0o600
        self._tar.addfile(info, io.BytesIO(data))


class _HashingReader(io.RawIOBase):
    """A file that computes the SHA-256 checksum of the bytes read from it."""

    def __init__(self, content: IO[bytes]) -> None:
        self._content = content
        self._hash = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._content.read(size)
        self._hash.update(data)
        return data

    @property
    def checksum(self) -> str:
        return self._hash.hexdigest()


@contextmanager
def new_archive(path: Path, manifest: Manifest, report: Report) -> Iterator[Packer]:
    """Write a new archive, readable by its owner only. It gets its name after the body has ended.

    Raises StackError when the file exists or cannot be written.
    """
    if path.exists():
        raise StackError(f"{path} is there already; choose another name, nothing is overwritten.")
    # Its own name may be as long as a name can be.
    partial = path.with_name(f".herhaal.{os.getpid()}.partial")
    try:
        handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with (
            os.fdopen(handle, "wb") as raw,
            gzip.GzipFile(fileobj=raw, mode="wb", compresslevel=_SPEED, filename="") as pressed,
        ):
            with tarfile.open(fileobj=pressed, mode="w|", format=tarfile.PAX_FORMAT) as tar:
                packer = Packer(tar, manifest, report)
                yield packer
                packer.end()
            pressed.flush()
            os.fsync(raw.fileno())
        partial.rename(path)
    except OSError as error:
        raise StackError(f"The backup {path} cannot be made: {error}.") from error
    finally:
        partial.unlink(missing_ok=True)


def unpack(path: Path, into: Path, accept: Callable[[Manifest], None], report: Report) -> Manifest:
    """Unpack into a new folder; remove it again after an error.

    `accept` gets the manifest before anything is written, and raises StackError for a backup that cannot
    be used. Also raises StackError when the file is damaged, cut off or not a backup.
    """
    complete = False
    try:
        with gzip.open(path) as pressed:
            with tarfile.open(fileobj=pressed, mode="r|") as tar:
                manifest = _unpack(tar, path, into, accept, report)
            # gzip's own checksum comes at the very end.
            while pressed.read(_BLOCK):
                pass
        complete = True
        return manifest
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile, ValueError) as error:
        raise StackError(f"{path} is damaged, cut off, or no backup ({error}).") from error
    except OSError as error:
        raise StackError(f"{path} cannot be restored: {error}.") from error
    finally:
        if not complete:
            shutil.rmtree(into, ignore_errors=True)


def _unpack(
    tar: tarfile.TarFile,
    path: Path,
    into: Path,
    accept: Callable[[Manifest], None],
    report: Report,
) -> Manifest:
    manifest = _manifest(tar)
    accept(manifest)
    into.mkdir(mode=0o700, parents=True)
    sums: dict[str, str] = {}
    done = 0
    while (member := tar.next()) is not None:
        if member.name == _LAST:
            _require_equal(_json(tar, member), sums, path)
            return manifest
        checksum = _extract(tar, member, into)
        if checksum is not None:
            sums[member.name] = checksum
        done += member.size
        report.status(_progress("Restoring", done, manifest.size))
    raise ValueError("its checksums are missing")


def _manifest(tar: tarfile.TarFile) -> Manifest:
    first = tar.next()
    if first is None or first.name != _FIRST:
        raise ValueError(f"it does not start with {_FIRST}")
    content = _json(tar, first)
    if content["format"] > FORMAT:
        raise StackError(
            f"The backup was made by a newer version of herhaal (format {content['format']}, this one"
            f" reads up to {FORMAT}): update herhaal."
        )
    return Manifest(**content)


def _json(tar: tarfile.TarFile, member: tarfile.TarInfo) -> Any:
    return json.loads(_content(tar, member).read())


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    content = tar.extractfile(member) if member.isreg() else None
    if content is None:
        raise ValueError(f"{member.name} is neither a file nor a folder")
    return content


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo, into: Path) -> str | None:
    """Write a file and return its checksum, or make a folder."""
    inside = PurePosixPath(member.name)
    if inside.is_absolute() or ".." in inside.parts:
        raise ValueError(f"{member.name} would be written outside the folder")
    target = into / inside
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if member.isdir():
        target.mkdir(exist_ok=True)
        target.chmod(member.mode)
        return None
    checksum = _write(_content(tar, member), target)
    target.chmod(member.mode)
    os.utime(target, (member.mtime, member.mtime))
    return checksum


def _write(content: IO[bytes], target: Path) -> str:
    """Copy as a sparse file, as Kafka's index files are mostly zeros; return the checksum."""
    digest = hashlib.sha256()
    with target.open("xb") as file:
        while data := content.read(_BLOCK):
            digest.update(data)
            if data.count(0) == len(data):
                file.seek(len(data), os.SEEK_CUR)
            else:
                file.write(data)
        file.truncate()
    return digest.hexdigest()


def _require_equal(expected: Mapping[str, str], actual: Mapping[str, str], path: Path) -> None:
    names = expected.keys() | actual.keys()
    wrong = sorted(name for name in names if expected.get(name) != actual.get(name))
    if wrong:
        raise StackError(f"{path} is damaged: {wrong[0]} is not as it was when it was backed up.")


def _progress(what: str, done: int, total: int) -> str:
    return f"{what}: {done // _MIB} of {max(1, total // _MIB)} MiB"
