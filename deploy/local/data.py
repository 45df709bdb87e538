"""The data folder of a stack: its paths, its lock, its format."""

import base64
import fcntl
import json
import os
import shutil
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from deploy.local.errors import InUse, StackError, file_errors

FORMAT = 2
"""Increased when an older program cannot read the folder, or this one an older folder."""

MIN_FREE_BYTES = 1 << 30


@dataclass(frozen=True)
class Identity:
    """The content of version.json: the folder's format, Kafka's cluster id, the number of brokers."""

    format: int
    kafka_cluster: str
    brokers: int


def write_atomically(path: Path, content: Mapping[str, object]) -> None:
    """Write JSON by a rename, so that readers get the old or the new file, never a part.

    Only its owner may read it: a server's address may hold a password.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    write_for_owner(partial, json.dumps(content, indent=2) + "\n")
    partial.replace(path)


def write_for_owner(path: Path, content: str) -> None:
    """Write a file that only its owner may read."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(content)


def require_space(folder: Path, free_bytes: int) -> None:
    """Require 1 GiB of free space. Raises StackError."""
    if free_bytes < MIN_FREE_BYTES:
        raise StackError(
            f"Only {free_bytes // (1 << 20)} MiB is free on the disk of {folder}; the stack needs"
            " at least 1024 MiB: free some or choose another folder with --data."
        )


class DataFolder:
    """A data folder, held by one stack at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._lock: int | None = None

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def postgres(self) -> Path:
        return self.path / "postgres"

    @property
    def issuer(self) -> Path:
        return self.path / "issuer"

    @property
    def people(self) -> Path:
        """The patients' wrapped keys, and the keyring: in no backup, as deleting a key erases a person."""
        return self.path / "people"

    @property
    def passwords(self) -> Path:
        return self.path / "passwords.json"

    @property
    def audit_key(self) -> Path:
        return self.path / "audit.key"

    @property
    def portal_key(self) -> Path:
        """Seals what the portal's database keeps of tokens and forms."""
        return self.path / "portal.key"

    @property
    def certificates(self) -> Path:
        return self.path / "certificates"

    @property
    def endpoints(self) -> Path:
        return self.path / "endpoints.json"

    @property
    def contents(self) -> Path:
        return self.path / "contents.json"

    def kafka(self, node: int) -> Path:
        return self.path / f"kafka-{node}"

    def open(self, brokers: int) -> Identity:
        """Lock the folder; make it when it does not exist.

        Raises StackError when it is in use, of a newer format, for another number of brokers, not writable,
        or on a disk with too little space.
        """
        try:
            self.logs.mkdir(parents=True, exist_ok=True)
            self._take_lock()
        except OSError as error:
            raise self._unusable(error) from error
        try:
            with file_errors():
                require_space(self.path, shutil.disk_usage(self.path).free)
                identity = self._identity(brokers)
                self.endpoints.unlink(missing_ok=True)
        except BaseException:
            self.close()
            raise
        return identity

    def lock(self) -> Identity:
        """Lock an existing data folder, without changing it.

        Raises StackError when it does not exist, is in use, of a newer format, or cannot be written.
        """
        identity = self.identity()
        try:
            self._take_lock()
        except OSError as error:
            raise self._unusable(error) from error
        return identity

    def running_endpoints(self) -> dict[str, str] | None:
        """Read the addresses of the stack that is ready on this folder; None when there is none.

        A stack that was killed leaves the file behind, and another may listen on its ports since.
        """
        if not self._in_use():
            return None
        try:
            endpoints: dict[str, str] = json.loads(self.endpoints.read_text())
        except (OSError, ValueError):
            return None
        return endpoints

    def _in_use(self) -> bool:
        if not (self.path / "lock").exists():
            return False
        try:
            self._take_lock()
        except InUse:
            return True
        self.close()
        return False

    def identity(self) -> Identity:
        """Read version.json. Raises StackError when this is not a data folder, or of a newer format."""
        file = self.path / "version.json"
        if not file.exists():
            raise StackError(f"{self.path} is no data folder of a stack; name one with --data.")
        with file_errors():
            return _read_identity(file)

    def lock_empty(self) -> None:
        """Lock an empty folder; make it when it does not exist.

        Raises StackError when it is not empty, is in use, or cannot be made.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            if any(entry.name != "lock" for entry in self.path.iterdir()):
                raise StackError(f"{self.path} is not empty; choose a new folder with --data.")
            self._take_lock()
        except OSError as error:
            raise self._unusable(error) from error

    def _unusable(self, error: OSError) -> StackError:
        return StackError(f"The data folder {self.path} cannot be used: {error.strerror}.")

    def close(self) -> None:
        """Release the lock."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _take_lock(self) -> None:
        handle = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            raise InUse(
                f"Another stack is running on {self.path}; stop it or choose another with --data."
            ) from None
        self._lock = handle

    def _identity(self, brokers: int) -> Identity:
        file = self.path / "version.json"
        if not file.exists():
            identity = Identity(FORMAT, _new_cluster_id(), brokers)
            write_atomically(file, asdict(identity))
            return identity
        return self._checked(_read_identity(file), brokers)

    def _checked(self, identity: Identity, brokers: int) -> Identity:
        if identity.brokers != brokers:
            raise StackError(
                f"{self.path} was made with --brokers {identity.brokers}: start it so,"
                f" or choose another folder with --data for {brokers}."
            )
        return identity


def _read_identity(file: Path) -> Identity:
    """Read version.json. The format is checked first, as a newer one may have other fields."""
    try:
        content = json.loads(file.read_text())
        found_format = int(content["format"])
        if found_format > FORMAT:
            raise StackError(
                f"{file.parent} was written by a newer version of herhaal (format {found_format},"
                f" this one reads up to {FORMAT}): update herhaal or choose another with --data."
            )
        if found_format < FORMAT:
            raise StackError(
                f"{file.parent} is of format {found_format}, whose Kafka asks nobody who they are; this program"
                f" reads format {FORMAT}: choose another with --data, or delete it."
            )
        return Identity(found_format, str(content["kafka_cluster"]), int(content["brokers"]))
    except (ValueError, KeyError, TypeError) as error:
        raise StackError(
            f"{file} is not readable as a data folder's version ({error!r});"
            " choose another folder with --data."
        ) from error


def _new_cluster_id() -> str:
    """Make a cluster id in Kafka's form: 16 random bytes in URL-safe base64.

    It never starts with a dash, which the storage tool would read as an option.
    """
    while (id := base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("="))[0] == "-":
        pass
    return id
