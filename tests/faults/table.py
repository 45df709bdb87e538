"""The table of faults: one row for each fault and service."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Row:
    """The result of one fault; `recovery_s` is the time until the next output, in seconds.

    `sent` and `acknowledged` count every operation of the clients, repeats included.
    `raw_duplicates` counts those of the service; those of all services when that is `all`.
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
    """The rows of a run, written to a file after each row, so that an aborted run leaves its results."""

    def __init__(self, path: Path | None = None) -> None:
        self.rows: list[Row] = []
        self._path = path
        self._write()

    def add(self, row: Row) -> None:
        """Add a row, and write the file."""
        self.rows.append(row)
        self._write()

    def _write(self) -> None:
        if self._path is not None:
            rows = [asdict(row) for row in self.rows]
            self._path.write_text(json.dumps(rows, indent=2) + "\n")
