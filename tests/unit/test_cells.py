"""The file of cells that `herhaal test access --json FILE` writes."""

import json
from pathlib import Path

from tests.integration.access.cells import Cell, Cells


def test_every_cell_that_was_asked_is_in_the_file(tmp_path: Path) -> None:
    cells, file = Cells(), tmp_path / "cells.json"
    wrong = Cell("gp", "own", "ordering", "GET", "/orders/{order_id}", 200, 404)
    assert cells.add(wrong) is wrong
    cells.add(Cell("nobody", "none", "ordering", "POST", "/orders", 401, 401))
    cells.write(file)
    first, second = json.loads(file.read_text())["cells"]
    assert first == {
        "role": "gp",
        "scope": "own",
        "service": "ordering",
        "method": "GET",
        "path": "/orders/{order_id}",
        "expected": 200,
        "got": 404,
    }
    assert second["expected"] == second["got"]
