"""The table of faults: the rows in its file, and the exit code of a run of fault tests."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]

TESTS = """
import os
import signal
from tests.faults.table import Row

def note(table, fault, lost=0):
    table.add(Row(fault, "all", 10, 9, lost, 0, 0, None))

def test_clean(table):
    note(table, "clean")
"""


def _run(folder: Path, more: str, *options: str) -> tuple[int, str, list[dict[str, Any]]]:
    """Run `TESTS` and these tests; return exit code, output and rows."""
    file, rows = folder / "test_it.py", folder / "rows.json"
    file.write_text(TESTS + more)
    command = [sys.executable, "-m", "pytest", "-p", "tests.faults.plugin", "-c", "/dev/null"]
    done = subprocess.run(
        [*command, f"--rootdir={folder}", str(file), f"--json={rows}", *options],
        cwd=ROOT,
        # No other plugin is needed, and their import takes most of the time.
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.returncode, done.stdout, json.loads(rows.read_text())


def test_clean_rows_end_well_and_are_shown(tmp_path: Path) -> None:
    code, output, rows = _run(tmp_path, "")
    assert code == 0
    assert "decided twice" in output
    assert rows == [
        {
            "fault": "clean",
            "service": "all",
            "sent": 10,
            "acknowledged": 9,
            "lost": 0,
            "decided_twice": 0,
            "raw_duplicates": 0,
            "recovery_s": None,
        }
    ]


def test_a_row_that_is_not_clean_fails_the_run_though_its_test_did_not(tmp_path: Path) -> None:
    code, _, rows = _run(tmp_path, "def test_lost(table): note(table, 'lost', lost=1)\n")
    assert code == 1
    assert [row["lost"] for row in rows] == [0, 1]


@pytest.mark.parametrize(
    "crash", ["raise RuntimeError", "os._exit(3)", "os.kill(os.getpid(), signal.SIGKILL)"]
)
def test_a_test_that_crashes_half_way_leaves_the_rows_so_far(tmp_path: Path, crash: str) -> None:
    more = f"def test_crash(table):\n    note(table, 'half-way')\n    {crash}\n"
    code, _, rows = _run(tmp_path, more)
    assert code != 0
    assert [row["fault"] for row in rows] == ["clean", "half-way"]


def test_a_soak_begins_nothing_more_when_its_minutes_are_over_and_ends_well(tmp_path: Path) -> None:
    more = "def test_another(table): note(table, 'another')\n"
    code, output, rows = _run(tmp_path, more, "--minutes=0.000001")
    assert code == 0
    assert "--seed" in output
    assert len(rows) == 1


def test_a_soak_that_found_something_ends_badly(tmp_path: Path) -> None:
    code, _, _ = _run(tmp_path, "def test_lost(table): assert 0\n", "--minutes=1", "--seed=1")
    assert code == 1


def test_the_same_seed_is_the_same_order_and_each_round_has_everything(tmp_path: Path) -> None:
    more = "".join(f"def test_{n}(table): note(table, '{n}')\n" for n in range(9))
    orders = [
        [row["fault"] for row in _run(tmp_path, more, "--minutes=3", f"--seed={seed}")[2]]
        for seed in (1, 1, 2)
    ]
    assert orders[0] == orders[1] != orders[2]
    assert len(orders[0]) == 30
    assert len(set(orders[0][:10])) == 10
    assert orders[0][:10] != orders[0][10:20]
