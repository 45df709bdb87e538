"""A process that builds some of the partitions, to use more than one core.

`python -m runtime.rebuild.part` reads a `Part` as a line of JSON from standard input, and writes each
`Answer` as a line of JSON to standard output. It ends when standard input closes: its parent is gone.
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
from runtime.rebuild.build_loop import BuildLoop
from runtime.rebuild.declaration import Rebuild
from runtime.rebuild.reading import consumer, directory

log = structlog.get_logger()


class Target(msgspec.Struct, frozen=True):
    """A partition to build, up to and not including offset `end`."""

    topic: str
    partition: int
    end: int


class Part(msgspec.Struct, frozen=True):
    """The work of one process. `module` has the declaration; `skipped` are positions not to handle."""

    module: str
    kafka: str
    database: str
    epoch: int
    targets: list[Target]
    skipped: list[tuple[str, int, int]]


class Built(msgspec.Struct, frozen=True, tag=True):
    """This many more records are built."""

    records: int


class Ended(msgspec.Struct, frozen=True, tag=True):
    """The part is built; `refused` counts the dead letters that the service makes, by reason."""

    refused: dict[str, int]


class Failed(msgspec.Struct, frozen=True, tag=True):
    """The part cannot be built: the error's type, and its message when a person can act on it."""

    error: str
    why: str


Answer = Built | Ended | Failed


async def build(part: Part, rebuild: Rebuild[Any]) -> dict[str, int]:
    """Build a part; return the number of dead letters by reason. Raises what `BuildLoop.up_to` raises."""
    db = await shadow.connect(part.database)
    try:
        async with consumer(part.kafka) as client:
            building = BuildLoop(
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


def load_declaration(module: str) -> Rebuild[Any]:
    """Import the declaration from a service's module."""
    rebuild: Rebuild[Any] = import_module(module).REBUILD
    return rebuild


def _answer(answer: Answer) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(answer) + b"\n")
    sys.stdout.buffer.flush()


def _exit_with_parent() -> None:
    while os.read(0, 1):
        pass
    os._exit(1)


def main() -> None:
    """Build the part that standard input names."""
    part = msgspec.json.decode(sys.stdin.buffer.readline(), type=Part)
    Thread(target=_exit_with_parent, daemon=True).start()
    configure_logs("rebuild", "json")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            _answer(Ended(runner.run(build(part, load_declaration(part.module)))))
        except Exception as error:
            why = str(error) if isinstance(error, CannotRun) else ""
            if not why and not is_transient(error):
                log.error("cannot build", exc_info=error)
            _answer(Failed(type(error).__name__, why))
            sys.exit(1)


if __name__ == "__main__":
    main()
