"""The issuer's signing key, kept in the data folder for its owner only."""

import json
import os
import stat
from contextlib import suppress
from pathlib import Path

from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from deploy.local.errors import StackError

ALGORITHM = "ES256"
FOR_OWNER_ONLY = 0o600


def ensure_key(folder: Path) -> ECKey:
    """Read the key in this folder; make one when there is none. May be called by several processes at once.

    Raises StackError when the key can be read by others, or is unreadable.
    """
    file = folder / "key.json"
    if not file.exists():
        _make(file)
    mode = stat.S_IMODE(file.stat().st_mode)
    if mode & ~FOR_OWNER_ONLY:
        raise StackError(f"{file} is open to others (mode {mode:o}): run chmod 600 on it.")
    try:
        return ECKey.import_key(json.loads(file.read_text()))
    except (ValueError, KeyError, TypeError, JoseError) as error:
        raise StackError(f"{file} is no key: remove it, and a new one is made.") from error


def _make(file: Path) -> None:
    key = ECKey.generate_key("P-256", {"use": "sig", "alg": ALGORITHM}, private=True, auto_kid=True)
    file.parent.mkdir(mode=0o700, exist_ok=True)
    partial = file.with_name(f".{file.name}.{os.getpid()}")
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, FOR_OWNER_ONLY)
    with os.fdopen(handle, "w") as content:
        json.dump(key.as_dict(private=True), content)
    # A link never replaces: of two processes, the second one uses the first one's key.
    with suppress(FileExistsError):
        os.link(partial, file)
    partial.unlink()
