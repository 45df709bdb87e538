"""Files that commands write."""

import os
from pathlib import Path

import typer


def to_write(path: Path | None) -> Path | None:
    """Refuse a file that cannot be written, before the work of which it gets the result."""
    if path is not None and not os.access(path.absolute().parent, os.W_OK):
        raise typer.BadParameter(f"{path} cannot be written: is its folder there?")
    return path
