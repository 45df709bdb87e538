"""The table of faults: one row for each fault and service."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Row:
    """One fault: what clients sent, what became of it, how long until the next decision (seconds).

    `sent` and `acknowledged` count every operation of the clients, orders and others, repeats too.
    `raw_duplicates` are the service's own, of all services for `all`.
    """

    fault: str
    service: str
    sent: int
    acknowledged: int
    lost: int
    decided_twice: int
    raw_duplicates: int
    recovery_s: float | None

    @property
    def clean(self) -> bool:
        """Nothing lost, nothing decided twice."""
        return self.lost == 0 and self.decided_twice == 0


class Table:
    """The rows of a run, written after each so that a run that dies leaves what it found."""

    def __init__(self, path: Path | None = None) -> None:
        self.rows: list[Row] = []
        self._path = path
        self._write()

    def add(self, row: Row) -> None:
        """One more."""
        self.rows.append(row)
        self._write()

    def _write(self) -> None:
        if self._path is not None:
            rows = [asdict(row) for row in self.rows]
            self._path.write_text(json.dumps(rows, indent=2) + "\n")
