"""A service whose Kafka consumer stops to fetch, once, as one does whose background task has died.

`python -m tests.faults.wedged_service SERVICE N FILE`: at the N-th batch, unless FILE exists, which it makes
then; with the same environment as `herhaal serve`. Nothing is raised: the consumer just gives no more records.
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
    """Counts batches down, and stops the group's consumer from fetching, unless `once` exists."""

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
    gc.unfreeze()  # What is frozen is not among the objects that the collector tells of.
    consumers = [found for found in gc.get_objects() if isinstance(found, AIOKafkaConsumer)]
    for consumer in consumers:
        if consumer._group_id is not None and consumer._fetcher is not None:
            fetching: asyncio.Task[None] = consumer._fetcher._fetch_task
            fetching.cancel()


if __name__ == "__main__":
    declared = import_module(f"services.{sys.argv[1]}.app").SERVICE
    wedge = Wedge(int(sys.argv[2]), Path(sys.argv[3]))
    sys.exit(run(declared, declared.settings(), "all", wedge))
