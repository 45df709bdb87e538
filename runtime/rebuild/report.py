"""Progress and result of a rebuild."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from runtime.rebuild.declaration import Difference


class Progress(Protocol):
    """Receives the progress of a rebuild."""

    def begin(self, what: str, records: int) -> None:
        """A step starts that will read this many records; 0 when it reads none."""

    def built(self, records: int) -> None:
        """This many more records are built."""


@dataclass(frozen=True)
class Bulk:
    """The records that existed when the rebuild started: their number, the time and processes they took."""

    records: int
    seconds: float
    processes: int

    @property
    def records_per_s(self) -> float:
        """The rate at which they were read, handled and written."""
        return self.records / self.seconds if self.seconds else 0.0


@dataclass(frozen=True)
class Result:
    """The result of a rebuild, which took `seconds` in total.

    `refused` counts the dead letters that the service makes of its records, by reason.
    """

    switched: bool
    records: int
    seconds: float
    bulk: Bulk
    differences: Sequence[Difference]
    refused: Mapping[str, int]
