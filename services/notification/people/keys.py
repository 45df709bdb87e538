"""Each patient's data key, wrapped by a master key, in a folder of its own: one small file for each patient.

Deleting a patient's file makes all that the key sealed unreadable, in rows and in every backup of the database.
A marker stays in its place, so that no restored database brings the person back. Blocking calls of files: some
0.1 ms to open a key, some ms to make one.
"""

import hashlib
import os
import secrets
import struct
from contextlib import suppress
from pathlib import Path

from runtime.durable_files import sync_folder, write_durably
from runtime.keyring import KEY_BYTES, KeyPair, Keys
from services.notification.people.sealed import seal, unseal

_VERSION = struct.Struct(">I")
_ERASED = ".erased"
_NAME_LENGTH = 62
FOLDERS = tuple(f"{number:02x}" for number in range(256))
"""By the first byte of the hash of a pseudonym; the rest of it is the name of the patient's file."""


class Erased(Exception):
    """The person behind this pseudonym was erased; nothing may be kept of them again."""


class LostMaster(Exception):
    """A patient's key is wrapped by a master key that the keyring does not have."""


class PatientKeys:
    """The folder of wrapped keys, and the keyring that unwraps them."""

    def __init__(self, folder: Path, keys: Keys) -> None:
        self.folder = folder
        self._keys = keys

    def ensure(self, patient: str) -> bytes:
        """The patient's key, a new one when there is none. Raises Erased, LostMaster, OSError."""
        if self.is_erased(patient):
            raise Erased
        return self.open(patient) or self._make(patient)

    def open(self, patient: str) -> bytes | None:
        """The patient's key; None when there is none (any more). Raises LostMaster, OSError."""
        # A rotation may rewrap the key after we read the file, and then drop the older master key.
        for _ in range(2):
            wrapped = self._read(patient)
            if wrapped is None:
                return None
            pair = self._keys.read().pair(_version(wrapped))
            if pair is not None:
                return _unwrap(pair, wrapped, self._file(patient))
        raise LostMaster

    def erase(self, patient: str) -> None:
        """Delete the patient's key for good. May be repeated; nobody else may write keys meanwhile."""
        file = self._file(patient)
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(_marker(file), os.O_WRONLY | os.O_CREAT, 0o600))
        sync_folder(file.parent)
        # Also what a process left that was killed while it made or rewrapped the key.
        for path in file.parent.glob(f"{file.name}*"):
            if path != _marker(file):
                path.unlink(missing_ok=True)
        sync_folder(file.parent)

    def is_erased(self, patient: str) -> bool:
        """Tell whether this person was erased."""
        return _marker(self._file(patient)).exists()

    def files(self, folder: str) -> list[Path]:
        """The key files in one of the `FOLDERS`."""
        path = self.folder / folder
        found = path.iterdir() if path.is_dir() else ()
        return [file for file in found if len(file.name) == _NAME_LENGTH]

    def rewrap(self, file: Path) -> bool:
        """Wrap the key in a file by the newest master key. Return whether an older one had wrapped it.

        Nobody may erase its patient meanwhile. Raises LostMaster, OSError.
        """
        wrapped, keyring = file.read_bytes(), self._keys.read()
        if _version(wrapped) == keyring.newest.version:
            return False
        pair = keyring.pair(_version(wrapped))
        if pair is None:
            raise LostMaster
        partial = file.with_name(f"{file.name}.new")
        write_durably(partial, _wrap(keyring.newest, _unwrap(pair, wrapped, file), file))
        partial.replace(file)
        sync_folder(file.parent)
        return True

    def _make(self, patient: str) -> bytes:
        file = self._file(patient)
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        key = secrets.token_bytes(KEY_BYTES)
        partial = file.with_name(f"{file.name}.{secrets.token_hex(8)}")
        write_durably(partial, _wrap(self._keys.read().newest, key, file))
        # A link never replaces: of two who make a key, the second one uses the first one's.
        with suppress(FileExistsError):
            os.link(partial, file)
        partial.unlink()
        sync_folder(file.parent)
        made = self.open(patient)
        assert made is not None, "nobody erases it meanwhile"
        return made

    def _read(self, patient: str) -> bytes | None:
        try:
            return self._file(patient).read_bytes()
        except FileNotFoundError:
            return None

    def _file(self, patient: str) -> Path:
        name = hashlib.sha256(patient.encode()).hexdigest()
        return self.folder / name[:2] / name[2:]


def _marker(file: Path) -> Path:
    return file.with_name(file.name + _ERASED)


def _wrap(pair: KeyPair, key: bytes, file: Path) -> bytes:
    return _VERSION.pack(pair.version) + seal(pair.master, key, _about(file))


def _unwrap(pair: KeyPair, wrapped: bytes, file: Path) -> bytes:
    return unseal(pair.master, wrapped[_VERSION.size :], _about(file))


def _version(wrapped: bytes) -> int:
    (version,) = _VERSION.unpack_from(wrapped)
    return int(version)


def _about(file: Path) -> str:
    """A key opens only under its patient's name, which is hashed as the file's is."""
    return f"key\0{file.parent.name}{file.name}"
