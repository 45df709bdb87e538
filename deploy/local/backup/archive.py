"""A backup's file: one tar in gzip, with what it is at the front and a checksum of each file at the end.

It appears under its name only when it is whole, and is unpacked only when every checksum holds.
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
"""Raised when a backup can no longer be read by the earlier program."""

Kind = Literal["stack", "databases"]

_FIRST = "backup.json"
_LAST = "checksums.json"
_BLOCK = 1 << 20
_SPEED = 1
"""gzip's level: most of the data is small records, where a higher one gains little for its time."""
_MIB = 1 << 20


@dataclass(frozen=True)
class Manifest:
    """What a backup says of itself before its files: what of, when (UTC), by which versions.

    `files` and `size` (bytes) are those of the content.
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
    """Adds files to an archive, noting the checksum of each."""

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
            summed = _Summed(content)
            self._tar.addfile(info, summed)
        self._sums[name] = summed.sum
        self._done += info.size
        self._report.status(_progress("Backing up", self._done, self._total))

    def end(self) -> None:
        """Add the checksums: nothing comes after them."""
        self._json(_LAST, self._sums)

    def _json(self, name: str, content: Mapping[str, Any]) -> None:
        data = json.dumps(content, indent=2).encode()
        info = tarfile.TarInfo(name)
        info.size, info.mode = len(data), 0o600
        self._tar.addfile(info, io.BytesIO(data))


class _Summed(io.RawIOBase):
    """A file that notes the checksum of what is read from it."""

    def __init__(self, content: IO[bytes]) -> None:
        self._content = content
        self._hash = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._content.read(size)
        self._hash.update(data)
        return data

    @property
    def sum(self) -> str:
        return self._hash.hexdigest()


@contextmanager
def packed(path: Path, manifest: Manifest, report: Report) -> Iterator[Packer]:
    """A new archive, readable by its owner only, under its name when the body has come to its end.

    Raises StackError when there is such a file, or it cannot be written.
    """
    if path.exists():
        raise StackError(f"{path} is there already; choose another name, nothing is overwritten.")
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
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
    """Unpack into a folder that is not there yet; after an error it is not there either.

    `accept` sees what the backup says of itself before anything is written, and raises StackError
    for what cannot be used. Raises StackError also when the file is damaged, cut off or no backup.
    """
    whole = False
    try:
        with gzip.open(path) as pressed:
            with tarfile.open(fileobj=pressed, mode="r|") as tar:
                manifest = _unpack(tar, path, into, accept, report)
            # gzip's own checksum comes at the very end.
            while pressed.read(_BLOCK):
                pass
        whole = True
        return manifest
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile, ValueError) as error:
        raise StackError(f"{path} is damaged, cut off, or no backup ({error}).") from error
    except OSError as error:
        raise StackError(f"{path} cannot be restored: {error}.") from error
    finally:
        if not whole:
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
            _compare(_json(tar, member), sums, path)
            return manifest
        summed = _place(tar, member, into)
        if summed is not None:
            sums[member.name] = summed
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


def _place(tar: tarfile.TarFile, member: tarfile.TarInfo, into: Path) -> str | None:
    """Writes a file or makes a folder; the checksum of a file."""
    inside = PurePosixPath(member.name)
    if inside.is_absolute() or ".." in inside.parts:
        raise ValueError(f"{member.name} would be written outside the folder")
    target = into / inside
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if member.isdir():
        target.mkdir(exist_ok=True)
        target.chmod(member.mode)
        return None
    summed = _write(_content(tar, member), target)
    target.chmod(member.mode)
    os.utime(target, (member.mtime, member.mtime))
    return summed


def _write(content: IO[bytes], target: Path) -> str:
    """Copies; Kafka's index files are mostly zeros, which become holes and take no room."""
    summed = hashlib.sha256()
    with target.open("xb") as file:
        while data := content.read(_BLOCK):
            summed.update(data)
            if data.count(0) == len(data):
                file.seek(len(data), os.SEEK_CUR)
            else:
                file.write(data)
        file.truncate()
    return summed.hexdigest()


def _compare(told: Mapping[str, str], found: Mapping[str, str], path: Path) -> None:
    wrong = sorted(n for n in told.keys() | found.keys() if told.get(n) != found.get(n))
    if wrong:
        raise StackError(f"{path} is damaged: {wrong[0]} is not as it was when it was backed up.")


def _progress(what: str, done: int, total: int) -> str:
    return f"{what}: {done // _MIB} of {max(1, total // _MIB)} MiB"
