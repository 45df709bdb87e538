"""Where what is downloaded or prepared once is kept, for all checkouts of one user."""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from deploy.local.errors import StackError


def cache_folder() -> Path:
    """`$XDG_CACHE_HOME/herhaal` or `~/.cache/herhaal`, made if it is not there.

    Raises StackError when it cannot be written.
    """
    base = os.environ.get("XDG_CACHE_HOME")
    folder = (Path(base) if base else Path.home() / ".cache") / "herhaal"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StackError(
            f"The cache folder {folder} cannot be made ({error.strerror});"
            " set XDG_CACHE_HOME to one that can."
        ) from error
    return folder


def shared_cache() -> Path:
    """`/var/cache/herhaal`, for what root keeps for another account to run."""
    folder = Path("/var/cache/herhaal")
    try:
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    except OSError as error:
        raise StackError(f"The folder {folder} cannot be made ({error.strerror}).") from error
    return folder


@asynccontextmanager
async def held(lock: Path) -> AsyncIterator[None]:
    """Holds a lock file, so that two stacks do not prepare the same thing at the same time."""
    handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        # A file lock tells nobody when it comes free.
        while not _taken(handle):
            await asyncio.sleep(0.1)
        yield
    finally:
        os.close(handle)


def _taken(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
