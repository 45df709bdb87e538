"""A service with a fault, in the environment of `herhaal serve`.

`python -m tests.faults.faulty_service SERVICE [--kill-at STEP | --stop-at STEP] [--pass N] [--hours H]`:
it sends itself SIGKILL or SIGSTOP at the N-th pass of a failpoint; its clock is H hours ahead, or behind when
H is negative. Monotonic clocks stay right.
"""

import argparse
import os
import signal
import sys
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime, timedelta
from importlib import import_module

import time_machine

from runtime.loop.failpoints import Failpoint, FailpointHook, ignore_failpoint
from runtime.process import run


class Signalled:
    """Counts down the passes of one failpoint, then sends a signal to this process."""

    def __init__(self, number: signal.Signals, at: Failpoint, times: int) -> None:
        self._number = number
        self._at = at
        self._left = times

    def __call__(self, step: Failpoint) -> None:
        if step is self._at:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), self._number)


def main() -> int:
    """Run the service until the fault, or until a signal stops it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("service")
    parser.add_argument("--kill-at", type=Failpoint)
    parser.add_argument("--stop-at", type=Failpoint)
    parser.add_argument("--pass", type=int, default=1, dest="passes")
    parser.add_argument("--hours", type=float, default=0.0)
    parser.add_argument("--only", choices=["all", "worker"], default="all")
    given = parser.parse_args()
    declared = import_module(f"services.{given.service}.app").SERVICE
    with _clock(given.hours):
        return run(declared, declared.settings(), given.only, _at_steps(given))


def _at_steps(given: argparse.Namespace) -> FailpointHook:
    if given.kill_at is not None:
        return Signalled(signal.SIGKILL, given.kill_at, given.passes)
    if given.stop_at is not None:
        return Signalled(signal.SIGSTOP, given.stop_at, given.passes)
    return ignore_failpoint


def _clock(hours: float) -> AbstractContextManager[object]:
    if not hours:
        return nullcontext()
    return time_machine.travel(datetime.now(UTC) + timedelta(hours=hours), tick=True)


if __name__ == "__main__":
    sys.exit(main())
