"""A service whose Kafka consumer stops fetching once, as if its background task had died.

`python -m tests.faults.wedged_service SERVICE N FILE`, in the environment of `herhaal serve`. At the N-th
batch, unless FILE exists, it creates FILE and stops fetching. Nothing is raised: the consumer returns no more
records.
"""

import asyncio
import gc
import sys
from importlib import import_module
from pathlib import Path

from aiokafka import AIOKafkaConsumer

from runtime.loop.failpoints import Failpoint
from runtime.process import run


class Wedge:
    """Counts down batches, then stops the group's consumer from fetching unless the file `once` exists."""

    def __init__(self, after: int, once: Path) -> None:
        self._left = after
        self._once = once

    def __call__(self, step: Failpoint) -> None:
        if step is Failpoint.AFTER_POLL:
            self._left -= 1
            if self._left == 0 and not self._once.exists():
                self._once.touch()
                _stop_fetching()


def _stop_fetching() -> None:
    gc.unfreeze()  # gc.get_objects() leaves out frozen objects.
    consumers = [found for found in gc.get_objects() if isinstance(found, AIOKafkaConsumer)]
    for consumer in consumers:
        if consumer._group_id is not None and consumer._fetcher is not None:
            fetching: asyncio.Task[None] = consumer._fetcher._fetch_task
            fetching.cancel()


if __name__ == "__main__":
    declared = import_module(f"services.{sys.argv[1]}.app").SERVICE
    wedge = Wedge(int(sys.argv[2]), Path(sys.argv[3]))
    sys.exit(run(declared, declared.settings(), "all", wedge))
