"""A file system of a few megabytes, in memory, that a test can fill."""

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
"""Run with our end of a pipe as its input: it goes on when that closes, also because we were killed."""


class CannotMount(Exception):
    """This user may mount nothing here; the message says why."""


class SmallDisk:
    """A mounted file system with a file of ballast on it."""

    def __init__(self, at: Path) -> None:
        self._ballast = at / "ballast"

    def fill(self) -> None:
        """Take what is left, to the last page."""
        with self._ballast.open("ab", buffering=0) as file:
            for piece in (_CHUNK, _PAGE):
                while _written(file.fileno(), piece):
                    pass

    def free(self) -> None:
        """Give back what `fill` took."""
        self._ballast.unlink()


def _written(file: int, piece: bytes) -> bool:
    """Whether there was room for all of it."""
    try:
        return os.write(file, piece) == len(piece)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        return False


@contextmanager
def mounted(at: Path, megabytes: int) -> Iterator[SmallDisk]:
    """Mount an empty file system of this size on a folder, for its owner.

    It goes when the body ends, and also when this process is killed. Raises CannotMount.
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
    """Move a folder's content to a file system of this size that is mounted in its place.

    When the body ends the content goes. Raises CannotMount.
    """
    owner = folder.stat()
    aside = folder.rename(folder.with_name(f"{folder.name}.aside"))
    folder.mkdir()
    os.chown(folder, owner.st_uid, owner.st_gid)
    with mounted(folder, megabytes) as disk:
        subprocess.run(["cp", "-a", f"{aside}/.", str(folder)], check=True)
        shutil.rmtree(aside)
        yield disk
