"""The interface of an engine, and the context of one run of it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from bench.data.patients import Population
from deploy.local import LocalStack
from deploy.local.postgres.databases import owner_dsn
from deploy.local.processes.process import Program

Phase = Literal["load", "run"]
"""`load` while an engine reads the patients' overviews, `run` while it decides orders."""


_SETTLED_S = 1.5
_SETTLED_UNTIMED_S = 0.5


@dataclass(frozen=True)
class RunContext:
    """One run: its servers, folder, consumer group, and the region's file for peers.

    `timed` is whether rates are measured.
    """

    stack: LocalStack
    folder: Path
    group: str
    region: Path
    timed: bool = True

    @property
    def settled_s(self) -> float:
        """Seconds without new outputs after which they count as complete."""
        return _SETTLED_S if self.timed else _SETTLED_UNTIMED_S

    @property
    def database_owner(self) -> str:
        """The DSN of this run's new database, as its owner: a peer makes its own tables."""
        return owner_dsn(self.stack.postgres, "ordering")

    def log(self, name: str) -> Path:
        """The log file of a process of this run."""
        return self.folder / f"{name}.log"


class Engine(Protocol):
    """A program that decides orders. It is judged by the records that it writes to Kafka.

    `share` is the part of the orders that it gets; a slow engine gets fewer. `decides` is False for an engine
    that only passes orders on: its outputs are counted, not compared. `processes` describes for the reader
    how many processes it runs, in which language.
    """

    name: str
    title: str
    promise: str
    processes: str
    share: float
    decides: bool

    async def available(self) -> str | None:
        """Install what it needs. Return None, or why it cannot run on this machine."""

    async def prepare(self, context: RunContext, population: Population) -> None:
        """Prepare what it needs before it reads the overviews."""

    def reads_overviews(self, context: RunContext) -> str | None:
        """Name the consumer group that commits its offsets on the overviews; None when it reads none."""

    def programs(self, context: RunContext, phase: Phase) -> list[Program]:
        """Make its programs, ready to start."""
