"""The cells of the matrix: each is one question that was asked of the running system, with its answer."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

Said = int | str
"""An answer: an HTTP status, or words where a status does not tell it."""


@dataclass(frozen=True)
class Cell:
    """Who asked (`role`) what (`method`, `path`) of whom (`service`), and whose it was (`scope`)."""

    role: str
    scope: str
    service: str
    method: str
    path: str
    expected: Said
    got: Said


class Cells:
    """The cells of a run: every test that asks some takes the fixture `cells` and adds them."""

    def __init__(self) -> None:
        self.asked: list[Cell] = []

    def add(self, cell: Cell) -> Cell:
        """Keep a cell for the file."""
        self.asked.append(cell)
        return cell

    def write(self, file: Path) -> None:
        """Write all cells as `{"cells": […]}`."""
        cells = [asdict(cell) for cell in self.asked]
        file.write_text(json.dumps({"cells": cells}, indent=2) + "\n")
