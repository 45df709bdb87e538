"""What is told of a rebuild, while it goes on and in the end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from runtime.rebuild.declared import Difference


class Progress(Protocol):
    """What is told of a rebuild while it goes on."""

    def begin(self, what: str, records: int) -> None:
        """So many records are about to be read for this; 0 when it is not about records."""

    def built(self, records: int) -> None:
        """So many more are."""


@dataclass(frozen=True)
class Bulk:
    """What was there when the rebuild began: records, how long they took (seconds), in how many processes."""

    records: int
    seconds: float
    processes: int

    @property
    def records_per_s(self) -> float:
        """How fast they were read, counted and written."""
        return self.records / self.seconds if self.seconds else 0.0


@dataclass(frozen=True)
class Result:
    """What came of it; `differences` are those of the comparison, `seconds` those of everything.

    `refused` is what the service has buried, or would, by reason.
    """

    switched: bool
    records: int
    seconds: float
    bulk: Bulk
    differences: Sequence[Difference]
    refused: Mapping[str, int]
