"""The quick benchmark, run once for all tests about it."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
QUICK = (str(ROOT / "herhaal"), "bench", "--quick")
WITHIN_S = 1100.0


@pytest.fixture(scope="session")
def quick_bench(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[subprocess.CompletedProcess[str], Path]:
    """The completed quick benchmark of this run, and its results file."""
    file = tmp_path_factory.mktemp("bench") / "results.json"
    run = subprocess.run(
        (*QUICK, "--json", str(file)),
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=WITHIN_S,
    )
    return run, file
