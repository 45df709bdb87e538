"""A process that builds some of the partitions; one core each, as the rest of Python's work is on one.

`python -m runtime.rebuild.part`, with a `Part` as JSON on standard input, which then stays open: when it
closes, whoever asked for this is gone. Answers are JSON, a line each, on standard output.
"""

import asyncio
import os
import sys
from importlib import import_module
from threading import Thread
from typing import Any

import msgspec
import structlog
import uvloop
from aiokafka import TopicPartition

from runtime.errors import CannotRun, is_transient
from runtime.observability.logs import configure_logs
from runtime.rebuild import shadow
from runtime.rebuild.building import Building
from runtime.rebuild.declared import Rebuild
from runtime.rebuild.reading import consumer, directory

log = structlog.get_logger()


class Target(msgspec.Struct, frozen=True):
    """Build this partition until `end`."""

    topic: str
    partition: int
    end: int


class Part(msgspec.Struct, frozen=True):
    """What one process builds; `module` is the declaration's, `skipped` are records to pass over."""

    module: str
    kafka: str
    database: str
    epoch: int
    targets: list[Target]
    skipped: list[tuple[str, int, int]]


class Built(msgspec.Struct, frozen=True, tag=True):
    """So many more records are built."""

    records: int


class Ended(msgspec.Struct, frozen=True, tag=True):
    """All is built; `refused` is what the service would bury, by reason."""

    refused: dict[str, int]


class Failed(msgspec.Struct, frozen=True, tag=True):
    """It cannot be built: the type of the error and, where it is for a person to mend, its words."""

    error: str
    why: str


Answer = Built | Ended | Failed


async def build(part: Part, rebuild: Rebuild[Any]) -> dict[str, int]:
    """Build it; what the service would bury, by reason. Raises what `Building.up_to` does."""
    db = await shadow.connect(part.database)
    try:
        async with consumer(part.kafka) as client:
            building = Building(
                rebuild,
                rebuild.builder(await directory(part.kafka, rebuild)),
                client,
                db,
                part.epoch,
                frozenset(part.skipped),
                lambda records: _answer(Built(records)),
            )
            await building.up_to(
                {TopicPartition(t.topic, t.partition): t.end for t in part.targets}
            )
            return dict(building.refused)
    finally:
        await db.close()


def declared(module: str) -> Rebuild[Any]:
    """The declaration in a service's module."""
    found: Rebuild[Any] = import_module(module).REBUILD
    return found


def _answer(answer: Answer) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(answer) + b"\n")
    sys.stdout.buffer.flush()


def _end_with_the_parent() -> None:
    while os.read(0, 1):
        pass
    os._exit(1)


def main() -> None:
    """Build what standard input says."""
    part = msgspec.json.decode(sys.stdin.buffer.readline(), type=Part)
    Thread(target=_end_with_the_parent, daemon=True).start()
    configure_logs("rebuild", "json")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            _answer(Ended(runner.run(build(part, declared(part.module)))))
        except Exception as error:
            why = str(error) if isinstance(error, CannotRun) else ""
            if not why and not is_transient(error):
                log.error("cannot build", exc_info=error)
            _answer(Failed(type(error).__name__, why))
            sys.exit(1)


if __name__ == "__main__":
    main()
