"""PostgreSQL as root: it refuses to run so, so it runs as a system account of its own.

Nothing is opened to everybody for that. Where a folder above the data is closed to others (one made
by `tempfile`, or /root), that one account gets leave to pass through, by an access control list.
"""

import os
import pwd
import shutil
import struct
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from deploy.local.errors import StackError

SYSTEM_USER = "herhaal-postgres"

_ACL = "system.posix_acl_access"
_ACL_VERSION = 2
_USER_OBJ, _USER, _GROUP_OBJ, _GROUP, _MASK, _OTHER = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20
_NO_ID = 0xFFFFFFFF
_PASS = 1

Entry = tuple[int, int, int]
"""Tag, permissions (4 read, 2 write, 1 pass through), user or group id."""


@dataclass(frozen=True)
class Account:
    """Who a child process runs as."""

    uid: int
    gid: int


def postgres_account() -> Account | None:
    """The account that PostgreSQL must run as; None when that is ourselves.

    As root it is made if it is not there. Raises StackError when that is not possible.
    """
    if os.geteuid() != 0:
        return None
    if not sys.platform.startswith("linux"):
        raise StackError("PostgreSQL does not run as root: start herhaal as an ordinary user.")
    try:
        entry = _entry()
    except (OSError, subprocess.CalledProcessError) as error:
        raise StackError(
            f"PostgreSQL does not run as root, and the account {SYSTEM_USER} could not be made"
            f" ({error}): start herhaal as an ordinary user."
        ) from error
    return Account(entry.pw_uid, entry.pw_gid)


def _entry() -> pwd.struct_passwd:
    if SYSTEM_USER not in {entry.pw_name for entry in pwd.getpwall()}:
        options = ["--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
        subprocess.run(["useradd", *options, SYSTEM_USER], check=True, capture_output=True)
    return pwd.getpwnam(SYSTEM_USER)


def can(account: Account, permission: str, path: Path) -> bool:
    """Whether the account may do this (-x pass or run, -r read), by asking the system as it."""
    asked = subprocess.run(
        ["/bin/sh", "-c", 'test "$1" "$2"', "sh", permission, str(path)],
        user=account.uid,
        group=account.gid,
        extra_groups=[],
        cwd="/",
        check=False,
    )
    return asked.returncode == 0


def open_way(account: Account, folder: Path) -> None:
    """Lets the account pass through this folder and all above it, and no more than that.

    Raises StackError for a folder on a file system without access control lists.
    """
    if can(account, "-x", folder):
        return
    for step in (*reversed(folder.parents), folder):
        if not can(account, "-x", step):
            _grant_pass(account, step)


def own(account: Account, folder: Path) -> None:
    """Makes the folder, for the account alone."""
    folder.mkdir(mode=0o700, exist_ok=True)
    os.chown(folder, account.uid, account.gid)


def runnable_copy(account: Account, package: Path, version: str, cache: Path) -> Path:
    """The package's folder if the account can run PostgreSQL there, else a copy it can run."""
    if _runs_for(account, package):
        return package
    copy = cache / f"{package.name}-{version}"
    if not copy.exists():
        partial = cache / f".{package.name}-{version}.{os.getpid()}"
        for part in (package, package.with_name(f"{package.name}.libs")):
            if part.exists():
                shutil.copytree(part, partial / part.name, symlinks=True)
        for path in (partial, *partial.rglob("*")):
            _open_to_all(path)
        partial.rename(copy)
    open_way(account, copy)
    return copy / package.name


def _runs_for(account: Account, package: Path) -> bool:
    """Tried, as it takes more than leave to run: its libraries must be readable too."""
    command = [str(package / "pginstall" / "bin" / "postgres"), "--version"]
    try:
        tried = subprocess.run(
            command,
            user=account.uid,
            group=account.gid,
            extra_groups=[],
            cwd="/",
            check=False,
            capture_output=True,
        )
    except PermissionError:
        return False
    return tried.returncode == 0


def _open_to_all(path: Path) -> None:
    if not path.is_symlink():
        runs = path.is_dir() or path.stat().st_mode & 0o100
        path.chmod(path.stat().st_mode | (0o055 if runs else 0o044))


def _grant_pass(account: Account, folder: Path) -> None:
    try:
        entries = with_pass(_entries(folder), account.uid)
        os.setxattr(folder, _ACL, _packed(entries))
    except OSError as error:
        raise StackError(
            f"PostgreSQL cannot run as root below {folder}, which is closed to other accounts"
            f" ({error.strerror}): choose another folder with --data."
        ) from error


def _entries(folder: Path) -> list[Entry]:
    """The access control list of a folder; without one, what its mode bits say."""
    if _ACL in os.listxattr(folder):
        return list(struct.iter_unpack("<HHI", os.getxattr(folder, _ACL)[4:]))
    mode = folder.stat().st_mode
    return [
        (_USER_OBJ, mode >> 6 & 7, _NO_ID),
        (_GROUP_OBJ, mode >> 3 & 7, _NO_ID),
        (_OTHER, mode & 7, _NO_ID),
    ]


def with_pass(entries: list[Entry], uid: int) -> list[Entry]:
    """The list with leave to pass for one user, and a mask that lets it through."""
    kept = [
        entry for entry in entries if entry[0] != _MASK and (entry[0], entry[2]) != (_USER, uid)
    ]
    now = next((bits for tag, bits, who in entries if (tag, who) == (_USER, uid)), 0)
    mask = next((bits for tag, bits, _ in entries if tag == _MASK), None)
    if mask is None:
        mask = next(bits for tag, bits, _ in kept if tag == _GROUP_OBJ)
    return sorted([*kept, (_USER, now | _PASS, uid), (_MASK, mask | _PASS, _NO_ID)])


def _packed(entries: list[Entry]) -> bytes:
    return struct.pack("<I", _ACL_VERSION) + b"".join(
        struct.pack("<HHI", *entry) for entry in entries
    )
