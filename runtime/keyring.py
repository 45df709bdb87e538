"""Master and lookup keys, in a file or in the environment, each pair with a version, the newest first.

A master key wraps other keys; a lookup key makes keyed hashes. During a rotation there are two pairs.
"""

import base64
import json
import os
import secrets
import stat
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from runtime.durable_files import FOR_OWNER_ONLY, sync_folder, write_durably

KEY_BYTES = 32


class NoKeyring(OSError):
    """The keyring is missing, open to others, or unreadable. The message never quotes a key."""


@dataclass(frozen=True, repr=False)
class KeyPair:
    """One version of the two keys, 32 random bytes each."""

    version: int
    master: bytes
    lookup: bytes

    def __repr__(self) -> str:
        """Give the version alone."""
        return f"KeyPair(version={self.version})"


@dataclass(frozen=True)
class Keyring:
    """All pairs that are in use, the newest first."""

    pairs: tuple[KeyPair, ...]

    @property
    def newest(self) -> KeyPair:
        """The pair for whatever is written now."""
        return self.pairs[0]

    def pair(self, version: int) -> KeyPair | None:
        """The pair with this version; None when it is not here (any more)."""
        return next((pair for pair in self.pairs if pair.version == version), None)

    def with_new_pair(self) -> "Keyring":
        """The same keyring with a new random pair in front."""
        newest = self.pairs[0].version if self.pairs else 0
        pair = KeyPair(newest + 1, secrets.token_bytes(KEY_BYTES), secrets.token_bytes(KEY_BYTES))
        return Keyring((pair, *self.pairs))

    def newest_alone(self) -> "Keyring":
        """The keyring without its older pairs."""
        return Keyring(self.pairs[:1])

    def to_json(self) -> str:
        """Write the keys as JSON, in base64."""
        return json.dumps({"keys": [_as_json(pair) for pair in self.pairs]}) + "\n"


class Keys(Protocol):
    """Where the keyring comes from."""

    def read(self) -> Keyring:
        """The keyring of this moment. Raises NoKeyring."""


@dataclass(frozen=True)
class FixedKeys:
    """A keyring that never changes: that of the environment."""

    keyring: Keyring

    def read(self) -> Keyring:
        """The keyring."""
        return self.keyring


class KeyFile:
    """A keyring in a file, which is read again when the file has changed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen: tuple[int, int, int] | None = None
        self._keyring = Keyring(())

    def read(self) -> Keyring:
        """The keyring. Raises NoKeyring when there is no file, or others can read it, or it is no keyring."""
        try:
            status = self.path.stat()
            seen = (status.st_ino, status.st_mtime_ns, status.st_size)
            if seen != self._seen:
                self._keyring, self._seen = self._read(status), seen
        except OSError as error:
            if isinstance(error, NoKeyring):
                raise
            raise NoKeyring(f"{self.path} cannot be read: {error.strerror}.") from None
        return self._keyring

    def replace(self, keyring: Keyring) -> None:
        """Write another keyring in one step: readers see the old or the new one. Raises OSError."""
        partial = self.path.with_name(f".{self.path.name}.new")
        write_durably(partial, keyring.to_json().encode())
        partial.replace(self.path)
        sync_folder(self.path.parent)

    def _read(self, status: os.stat_result) -> Keyring:
        mode = stat.S_IMODE(status.st_mode)
        if mode & ~FOR_OWNER_ONLY:
            raise NoKeyring(f"{self.path} is open to others (mode {mode:o}): run chmod 600 on it.")
        try:
            return parse_keyring(self.path.read_text())
        except ValueError:
            raise NoKeyring(f"{self.path} is no keyring.") from None


def parse_keyring(text: str) -> Keyring:
    """Read a keyring. Raises ValueError, which quotes nothing, for text that is none."""
    try:
        pairs = tuple(map(_of_json, json.loads(text)["keys"]))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ValueError("it is no keyring") from None
    versions = [pair.version for pair in pairs]
    if not pairs or versions != sorted(set(versions), reverse=True):
        raise ValueError("it is no keyring: the newest version comes first")
    return Keyring(pairs)


def ensure_keyring(path: Path) -> None:
    """Make a keyring when there is none. Several processes may do so at once."""
    if path.exists():
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    write_durably(partial, Keyring(()).with_new_pair().to_json().encode())
    # A link never replaces: of two processes, the second one uses the first one's keys.
    with suppress(FileExistsError):
        os.link(partial, path)
    partial.unlink()
    sync_folder(path.parent)


def _as_json(pair: KeyPair) -> Mapping[str, Any]:
    master, lookup = base64.b64encode(pair.master), base64.b64encode(pair.lookup)
    return {"version": pair.version, "master": master.decode(), "lookup": lookup.decode()}


def _of_json(pair: Mapping[str, Any]) -> KeyPair:
    master = base64.b64decode(pair["master"], validate=True)
    lookup = base64.b64decode(pair["lookup"], validate=True)
    if len(master) != KEY_BYTES or len(lookup) != KEY_BYTES or type(pair["version"]) is not int:
        raise ValueError("not 32 bytes")
    return KeyPair(pair["version"], master, lookup)
