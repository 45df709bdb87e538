"""The cache of downloaded and prepared files, shared by all checkouts of a user."""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from deploy.local.errors import StackError


def cache_folder() -> Path:
    """Make `$XDG_CACHE_HOME/herhaal`, or `~/.cache/herhaal`, and return it.

    Raises StackError when it cannot be made, or Java could not use it.
    """
    base = os.environ.get("XDG_CACHE_HOME")
    folder = (Path(base) if base else Path.home() / ".cache") / "herhaal"
    _require_usable_by_java(str(folder))
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StackError(
            f"The cache folder {folder} cannot be made ({error.strerror});"
            " set XDG_CACHE_HOME to one that can."
        ) from error
    return folder


def _require_usable_by_java(folder: str) -> None:
    """Java splits its class path at colons, and reads it as UTF-8."""
    if ":" in folder or any("\udc80" <= character <= "\udcff" for character in folder):
        raise StackError(
            f"Java cannot use the cache folder {folder}, as its name has a colon or is not UTF-8;"
            " set XDG_CACHE_HOME to another."
        )


def shared_cache() -> Path:
    """Make `/var/cache/herhaal` and return it: for programs that another account runs for root."""
    folder = Path("/var/cache/herhaal")
    try:
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    except OSError as error:
        raise StackError(f"The folder {folder} cannot be made ({error.strerror}).") from error
    return folder


@asynccontextmanager
async def file_lock(lock: Path) -> AsyncIterator[None]:
    """Hold an exclusive lock, so that two stacks do not prepare the same files concurrently."""
    handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        # Polled: waiting in flock would block the event loop.
        while not _try_lock(handle):
            await asyncio.sleep(0.1)
        yield
    finally:
        os.close(handle)


def _try_lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
