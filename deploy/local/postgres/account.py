"""Runs PostgreSQL as a system account when we are root, as PostgreSQL refuses to run as root.

No folder becomes readable for everyone. When a parent folder is closed to others (one of `tempfile`, or
/root), that account gets the permission to traverse it, by an access control list.
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
_EXECUTE = 1

Entry = tuple[int, int, int]
"""Tag, permissions (4 read, 2 write, 1 execute or traverse), user or group id."""


@dataclass(frozen=True)
class Account:
    """The user and group of a child process."""

    uid: int
    gid: int


def postgres_account() -> Account | None:
    """Return the account that PostgreSQL must run as; None when it is the current one.

    Creates the account when needed. Raises StackError when that is not possible.
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


def has_permission(account: Account, permission: str, path: Path) -> bool:
    """Whether the account has a permission (-x traverse or execute, -r read), as `test` sees it."""
    result = subprocess.run(
        ["/bin/sh", "-c", 'test "$1" "$2"', "sh", permission, str(path)],
        user=account.uid,
        group=account.gid,
        extra_groups=[],
        cwd="/",
        check=False,
    )
    return result.returncode == 0


def allow_traversal(account: Account, folder: Path) -> None:
    """Let the account traverse this folder and its parents, without any other permission.

    Raises StackError on a file system without access control lists.
    """
    if has_permission(account, "-x", folder):
        return
    for step in (*reversed(folder.parents), folder):
        if not has_permission(account, "-x", step):
            _grant_traversal(account, step)


def runnable_copy(account: Account, package: Path, version: str, cache: Path) -> Path:
    """Return the package's folder if the account can run PostgreSQL there, else a copy."""
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
    allow_traversal(account, copy)
    return copy / package.name


def _runs_for(account: Account, package: Path) -> bool:
    """Whether the account can run PostgreSQL there; tried, as its libraries must be readable too."""
    command = [str(package / "pginstall" / "bin" / "postgres"), "--version"]
    try:
        result = subprocess.run(
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
    return result.returncode == 0


def _open_to_all(path: Path) -> None:
    if not path.is_symlink():
        runs = path.is_dir() or path.stat().st_mode & 0o100
        path.chmod(path.stat().st_mode | (0o055 if runs else 0o044))


def _grant_traversal(account: Account, folder: Path) -> None:
    try:
        entries = with_traversal(_entries(folder), account.uid)
        os.setxattr(folder, _ACL, _packed(entries))
    except OSError as error:
        raise StackError(
            f"PostgreSQL cannot run as root below {folder}, which is closed to other accounts"
            f" ({error.strerror}): choose another folder with --data."
        ) from error


def _entries(folder: Path) -> list[Entry]:
    """Read the access control list of a folder, or derive it from the mode bits."""
    if _ACL in os.listxattr(folder):
        return list(struct.iter_unpack("<HHI", os.getxattr(folder, _ACL)[4:]))
    mode = folder.stat().st_mode
    return [
        (_USER_OBJ, mode >> 6 & 7, _NO_ID),
        (_GROUP_OBJ, mode >> 3 & 7, _NO_ID),
        (_OTHER, mode & 7, _NO_ID),
    ]


def with_traversal(entries: list[Entry], uid: int) -> list[Entry]:
    """Add the permission to traverse for one user, and a mask that allows it."""
    kept = [
        entry for entry in entries if entry[0] != _MASK and (entry[0], entry[2]) != (_USER, uid)
    ]
    now = next((bits for tag, bits, who in entries if (tag, who) == (_USER, uid)), 0)
    mask = next((bits for tag, bits, _ in entries if tag == _MASK), None)
    if mask is None:
        mask = next(bits for tag, bits, _ in kept if tag == _GROUP_OBJ)
    return sorted([*kept, (_USER, now | _EXECUTE, uid), (_MASK, mask | _EXECUTE, _NO_ID)])


def _packed(entries: list[Entry]) -> bytes:
    return struct.pack("<I", _ACL_VERSION) + b"".join(
        struct.pack("<HHI", *entry) for entry in entries
    )
