"""Stack samples become microseconds of CPU time per order."""

import pytest

from bench.judge import Verdict
from bench.profile import sum_stacks
from bench.validation import EngineRun

PLAYED = EngineRun(
    "ours-1", 1000, 1.0, 1.0, {"engine": 80.0}, 0.1, Verdict(1000, 0, 9000.0, 8000.0, 0, 1, (1,))
)
STACKS = [
    "main (runtime/process.py:5);on_batch (runtime/loop/loop.py:10);decide (services/x.py:3) 30",
    "main (runtime/process.py:5);on_batch (runtime/loop/loop.py:12) 10",
    "main (runtime/process.py:5);_find_and_load (frozen:1) 60",
]


def test_samples_are_shares_of_what_the_worker_used_and_its_start_is_left_out() -> None:
    found = sum_stacks(STACKS, PLAYED)
    assert found.self_us == pytest.approx(
        {"decide (services/x.py)": 60.0, "on_batch (runtime/loop/loop.py)": 20.0}
    )
    assert found.whole_us["on_batch (runtime/loop/loop.py)"] == pytest.approx(80.0)
    assert found.whole_us["main (runtime/process.py)"] == pytest.approx(80.0)


def test_the_page_has_both_tables() -> None:
    page = sum_stacks(STACKS, PLAYED).markdown()
    assert "80.0 µs of CPU time per order" in page
    assert page.count("| `decide (services/x.py)` | 60.0 |") == 2
