"""What `herhaal rebuild` prints during and after a rebuild, and what it refuses."""

import io

import pytest
from rich.console import Console

from cli.console import UserError
from cli.rebuild.command import figures, load_rebuild
from cli.rebuild.show import Lines, progress, show
from runtime.rebuild.declaration import Difference
from runtime.rebuild.report import Bulk, Result


def _result(switched: bool, *differences: Difference) -> Result:
    return Result(switched, 50_100, 2.0, Bulk(50_000, 1.0, 2), differences, {"seq_gap": 3})


def _shown(result: Result) -> str:
    console = Console(file=io.StringIO(), width=200)
    show("metrics", result, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_the_end_names_records_seconds_rows_and_what_differed() -> None:
    shown = _shown(_result(True, Difference("daily_lines", 1200, 1, 2, 3)))
    assert "50,100 records in 2.0 s, 50,000/s" in shown
    assert "metrics runs on the new tables; the old ones differed" in shown
    assert "3 records passed over: seq_gap" in shown
    for number in ("1,200", "1", "2", "3"):
        assert f" {number} " in shown


def test_a_comparison_says_that_nothing_is_switched() -> None:
    shown = _shown(_result(False, Difference("daily_lines", 1200, 0, 0, 0)))
    assert "Nothing is switched; the running tables match the topics." in shown


def test_the_figures_for_programs_are_complete() -> None:
    written = figures(_result(True, Difference("daily_lines", 1200, 1, 2, 3)))
    assert written == {
        "switched": True,
        "records": 50_100,
        "seconds": 2.0,
        "bulk": {"records": 50_000, "seconds": 1.0, "processes": 2, "records_per_s": 50_000},
        "tables": {
            "daily_lines": {
                "table": "daily_lines",
                "rows": 1200,
                "added": 1,
                "changed": 2,
                "gone": 3,
            }
        },
        "refused": {"seq_gap": 3},
    }


def test_without_a_terminal_there_are_lines_now_and_then() -> None:
    console = Console(file=io.StringIO(), width=200)
    with progress(console) as shown:
        assert isinstance(shown, Lines)
        shown.begin("Building", 1000)
        for _ in range(10):
            shown.built(100)
        shown.begin("Comparing", 0)
    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue().splitlines() == ["Building: 1,000 records", "Comparing …"]


def test_on_a_terminal_a_bar_counts_records() -> None:
    console = Console(file=io.StringIO(), width=120, force_terminal=True, color_system=None)
    with progress(console) as shown:
        shown.begin("Building", 1000)
        shown.built(250)
    assert isinstance(console.file, io.StringIO)
    assert "Building" in console.file.getvalue()
    assert "250/1000 records" in console.file.getvalue()


def test_a_service_without_projections_and_one_that_is_none_are_refused() -> None:
    with pytest.raises(UserError, match="medication has no projection"):
        load_rebuild("medication")
    with pytest.raises(UserError, match="There is no service dispensing"):
        load_rebuild("dispensing")


@pytest.mark.parametrize("service", ["metrics", "notification", "ordering"])
def test_a_declaration_is_found_again_by_its_module(service: str) -> None:
    rebuild = load_rebuild(service)
    assert (rebuild.service, rebuild.module) == (service, f"services.{service}.rebuild")
    assert rebuild.losses | rebuild.immutable <= rebuild.tables.keys()
