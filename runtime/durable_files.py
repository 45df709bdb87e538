"""Files that are on the disk when a function returns, readable by their owner only."""

import os
from pathlib import Path

FOR_OWNER_ONLY = 0o600


def write_durably(path: Path, content: bytes) -> None:
    """Write a file, or replace its content, and wait for the disk. Its name is on it after `sync_folder`."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, FOR_OWNER_ONLY)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Wait until the names of the files in a folder are on the disk, also that some are gone."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
