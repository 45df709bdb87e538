"""A service that ends itself with SIGKILL at a step of its loop, when it passes it for the N-th time.

`python -m tests.faults.dying_service SERVICE STEP N`, with the same environment as `herhaal serve`.
"""

import os
import signal
import sys
from importlib import import_module

from runtime.service import run
from runtime.settings import Settings
from runtime.steps import Step


class Death:
    """Counts down at one step, and kills the process."""

    def __init__(self, at: Step, times: int) -> None:
        self._at = at
        self._left = times

    def __call__(self, step: Step) -> None:
        if step is self._at:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


def main(service: str, step: str, times: str) -> int:
    """Run until death, or until told to stop."""
    declared = import_module(f"services.{service}.app").SERVICE
    return run(declared, Settings(), "all", Death(Step(step), int(times)))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
