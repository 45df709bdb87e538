"""The secrets of outside systems that were added with `herhaal systems add`, in the issuer's folder."""

import hashlib
import json
import secrets
from pathlib import Path

from deploy.local.data import write_atomically

_FILE = "systems.json"


def issue_secret(folder: Path, name: str, kind: str) -> str:
    """Give a system a new secret, and return it: only its digest is kept."""
    secret = secrets.token_urlsafe(32)
    write_atomically(
        folder / _FILE, read_systems(folder) | {name: {"kind": kind, "digest": digest_of(secret)}}
    )
    return secret


def withdraw_secret(folder: Path, name: str) -> None:
    """Take a system's secret away: it gets no tokens from now on."""
    systems = read_systems(folder)
    if systems.pop(name, None):
        write_atomically(folder / _FILE, systems)


def read_systems(folder: Path) -> dict[str, dict[str, str]]:
    """The kind of each system, and the digest of its secret."""
    try:
        systems: dict[str, dict[str, str]] = json.loads((folder / _FILE).read_text())
    except FileNotFoundError:
        return {}
    return systems


def digest_of(secret: str) -> str:
    """The digest of a secret. Secrets are 32 random bytes, so a fast hash is enough."""
    return hashlib.sha256(secret.encode()).hexdigest()
