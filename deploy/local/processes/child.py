"""Executes another program, which the kernel kills when the supervisor dies.

Run as a script, by path, with the standard library only:
`python -I -S child.py SUPERVISOR DEATH_SIGNAL UID GID PROGRAM ARG…`. UID -1 keeps the user.

A script instead of `preexec_fn`, which runs between fork and exec, where a process with threads may hang.
"""

import ctypes
import os
import sys

_PR_SET_PDEATHSIG = 1


def _die_with_supervisor(supervisor: int, death_signal: int) -> None:
    """Ask the kernel for a signal when the supervisor dies. On Linux only; elsewhere children live on."""
    if not sys.platform.startswith("linux"):
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, death_signal, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != supervisor:
        sys.exit("The supervisor was gone before its child had started.")


def _become(uid: int, gid: int) -> None:
    if uid >= 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)


def main(arguments: list[str]) -> None:
    supervisor, death_signal, uid, gid = (int(argument) for argument in arguments[:4])
    _become(uid, gid)
    # After the change of user, which resets it.
    _die_with_supervisor(supervisor, death_signal)
    os.execvp(arguments[4], arguments[4:])  # noqa: S606


main(sys.argv[1:])
