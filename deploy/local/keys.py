"""Secret keys of a stack, each in a file of its data folder for its owner only."""

import secrets
from pathlib import Path

from deploy.local.data import write_for_owner
from deploy.local.errors import file_errors

KEY_BYTES = 32


def ensure_key(file: Path) -> str:
    """Read the newest key, the first in the file, or make one. Raises StackError when it cannot be used."""
    with file_errors():
        if not file.exists():
            write_for_owner(file, secrets.token_hex(KEY_BYTES) + "\n")
        return file.read_text().split()[0]
