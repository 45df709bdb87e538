"""`./herhaal bench --quick`, as CI runs it: outputs are complete and equal; times are not judged."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.e2e.conftest import QUICK, ROOT

pytestmark = pytest.mark.timeout(1200)

JAVA = "Kafka Streams"
"""May be absent: its jars are fetched on first use."""


def rows(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(path.read_text())["rows"]
    return found


def test_every_engine_decides_every_order_as_we_do(
    quick_bench: tuple[subprocess.CompletedProcess[str], Path],
) -> None:
    """The run itself fails when an output is missing, differs, or belongs to another run."""
    run, file = quick_bench
    assert run.returncode == 0, run.stderr[-3000:]
    runs = [one for one in json.loads(file.read_text())["runs"] if one["figure"] == "validation"]
    engines = {one["engine"] for one in runs}
    assert engines >= {"raw", "naive", "quix", "ours-2"}
    assert all(one["orders"] > 0 and one["per_s"] > 0 for one in runs)


def test_every_figure_is_measured_and_in_the_table(
    quick_bench: tuple[subprocess.CompletedProcess[str], Path],
) -> None:
    run, file = quick_bench
    assert run.returncode == 0, run.stderr[-3000:]
    found = rows(file)
    assert len(found) >= 16
    for row in found:
        assert row.keys() >= {"figure", "ours", "peer", "ratio", "spread", "goal", "met"}
        assert row["ours"] or (row["note"] and JAVA in row["figure"] + row["note"]), row
    page = file.with_name("RESULTS.md").read_text()
    assert all(row["figure"] in page for row in found)
    assert file.with_name("results.svg").read_text().startswith("<svg")


def test_it_leaves_the_checkout_and_the_machine_as_they_were(
    quick_bench: tuple[subprocess.CompletedProcess[str], Path],
) -> None:
    assert quick_bench[0].returncode == 0
    changed = subprocess.run(
        ["git", "status", "--porcelain", "bench"], cwd=ROOT, capture_output=True, text=True
    )
    assert changed.stdout == ""
    assert left() == []


@pytest.mark.parametrize("told_by", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_stops_all_that_it_started(told_by: signal.Signals) -> None:
    run = subprocess.Popen(
        [*QUICK, "--only", "validation", "--engines", "ours-1"],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    started: dict[int, psutil.Process] = {}
    deadline_s = time.monotonic() + 120
    while not any("services.ordering" in line for line in map(command_of, started.values())):
        assert run.poll() is None
        assert time.monotonic() < deadline_s, "ordering was never started"
        started |= {p.pid: p for p in psutil.Process(run.pid).children(recursive=True)}
        time.sleep(0.05)
    os.kill(run.pid, told_by)
    _, told = run.communicate(timeout=60)
    assert run.returncode != 0
    assert b"Traceback" not in told
    assert len(started) > 5
    assert [command_of(p) for p in started.values() if p.is_running()] == []


def test_an_engine_that_does_not_exist_is_told_in_a_sentence() -> None:
    run = subprocess.run([*QUICK, "--engines", "flink"], capture_output=True, text=True, timeout=60)
    assert run.returncode == 1
    assert "There is no engine flink; there are raw" in run.stderr
    assert "Traceback" not in run.stderr


def left() -> list[str]:
    """Command lines of a benchmark's servers that still run; each contains the name of its folder."""
    return [c for c in map(command_of, psutil.process_iter()) if "herhaal-bench-" in c]


def command_of(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""
