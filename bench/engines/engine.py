"""What the runner needs to know of an engine, and where one run of it takes place."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from bench.data.patients import Population
from deploy.local import LocalStack
from deploy.local.processes.process import Program

Phase = Literal["load", "run"]
"""`load` while an engine reads the patients' overviews, `run` while it decides orders."""


_SETTLED_S = 1.5
_SETTLED_UNTIMED_S = 0.5


@dataclass(frozen=True)
class Place:
    """One run: its servers, its folder, its consumer group, and the region's file for peers.

    In one that is not `timed` nobody looks at how long anything takes.
    """

    stack: LocalStack
    folder: Path
    group: str
    region: Path
    timed: bool = True

    @property
    def settled_s(self) -> float:
        """Outputs are complete when there are enough and none has come for so long."""
        return _SETTLED_S if self.timed else _SETTLED_UNTIMED_S

    @property
    def database(self) -> str:
        """The DSN of the database that was made anew for this run."""
        return self.stack.databases["ordering"]

    def log(self, name: str) -> Path:
        """The log file of a process of this run."""
        return self.folder / f"{name}.log"


class Engine(Protocol):
    """Something that decides orders. It is judged by what it writes to Kafka alone.

    `share` is the part of the orders that it gets: a slow one would hold up a whole round.
    `decides` is False for one that only passes orders on, whose output is counted and not compared.
    `processes` tells a reader how many it runs and in what language.
    """

    name: str
    title: str
    promise: str
    processes: str
    share: float
    decides: bool

    async def available(self) -> str | None:
        """None, or why it cannot run on this machine; fetches what it needs."""

    async def prepare(self, place: Place, population: Population) -> None:
        """Whatever must be there before it reads the overviews."""

    def reads_overviews(self, place: Place) -> str | None:
        """The consumer group that tells how far it has read the overviews; None when it does not."""

    def programs(self, place: Place, phase: Phase) -> list[Program]:
        """Its processes, ready to start."""
