"""A small file system in memory (tmpfs) that a test can fill."""

import errno
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_CHUNK = bytes(1 << 20)
_PAGE = bytes(4096)

_UNMOUNT = 'cat > /dev/null; umount -l "$1"'
"""Unmounts when its standard input closes, which also happens when this process is killed."""


class CannotMount(Exception):
    """This user cannot mount a file system; the message says why."""


class SmallDisk:
    """A mounted file system with a ballast file."""

    def __init__(self, at: Path) -> None:
        self._ballast = at / "ballast"

    def fill(self) -> None:
        """Write ballast until no page is free."""
        with self._ballast.open("ab", buffering=0) as file:
            for piece in (_CHUNK, _PAGE):
                while _written(file.fileno(), piece):
                    pass

    def free(self) -> None:
        """Delete the ballast."""
        self._ballast.unlink()


def _written(file: int, piece: bytes) -> bool:
    """Write a piece; return whether all of it fitted."""
    try:
        return os.write(file, piece) == len(piece)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        return False


@contextmanager
def mounted(at: Path, megabytes: int) -> Iterator[SmallDisk]:
    """Mount an empty file system of this size on a folder, for the folder's owner.

    It is unmounted when the body ends or this process is killed. Raises CannotMount.
    """
    owner = at.stat()
    options = f"size={megabytes}m,uid={owner.st_uid},gid={owner.st_gid},mode=0700"
    try:
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "herhaal-test", str(at)],
            check=True,
            capture_output=True,
            text=True,
        )
    except FileNotFoundError:
        raise CannotMount("there is no mount command") from None
    except subprocess.CalledProcessError as error:
        raise CannotMount(error.stderr.strip()) from None
    unmounting = subprocess.Popen(
        ["sh", "-c", _UNMOUNT, "sh", str(at)], stdin=subprocess.PIPE, start_new_session=True
    )
    try:
        yield SmallDisk(at)
    finally:
        assert unmounting.stdin is not None
        unmounting.stdin.close()
        unmounting.wait()


@contextmanager
def moved_to_small_disk(folder: Path, megabytes: int) -> Iterator[SmallDisk]:
    """Move a folder's content to a file system of this size, mounted in its place.

    The content is lost when the body ends. Raises CannotMount.
    """
    owner = folder.stat()
    aside = folder.rename(folder.with_name(f"{folder.name}.aside"))
    folder.mkdir()
    os.chown(folder, owner.st_uid, owner.st_gid)
    with mounted(folder, megabytes) as disk:
        subprocess.run(["cp", "-a", f"{aside}/.", str(folder)], check=True)
        shutil.rmtree(aside)
        yield disk
