"""`herhaal bench`: our speed against the alternatives that a user could choose."""

import asyncio
import signal
import tempfile
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from rich.table import Table

from bench.engines.all import engines
from bench.errors import BenchError
from bench.plan import FULL, QUICK, Sizes
from bench.report.markdown import met_text, number, ratio_text
from bench.result import Row
from bench.run import FIGURES, run, run_profile
from cli.console import ConsoleReport, UserError, stdout
from deploy.local.report import PlainReport

ROOT = Path(__file__).parents[1]
T = TypeVar("T")

RESULTS = ROOT / "bench" / "results.json"


def run_bench(
    quick: bool,
    only: Sequence[str],
    rounds: int | None,
    orders: Sequence[int],
    chosen: Sequence[str],
    json: Path | None,
) -> None:
    """Measure, print the table and write the results.

    Raises UserError for an unknown name or an invalid measurement.
    """
    _require_names("figure", only, FIGURES)
    _require_names("engine", chosen, engines(PlainReport()))
    sizes = _sizes(quick, rounds, orders, chosen)
    whole = sizes == FULL and not only
    path = json or (RESULTS if whole else Path(tempfile.mkdtemp(prefix="herhaal-")) / RESULTS.name)
    with ConsoleReport() as report:
        result = _run(run(only or [*FIGURES], sizes, report))
    result.write(path)
    stdout().print(_table(result.rows))
    stdout().print(f"Written: {path} and, beside it, RESULTS.md and results.svg", soft_wrap=True)


def run_bench_profile(quick: bool, orders: Sequence[int], folder: Path) -> None:
    """Profile one worker under load; write `profile.md` and the stacks into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    sizes = _sizes(quick, None, orders, ())
    with ConsoleReport() as report:
        profile = _run(run_profile(sizes, folder / "stacks.txt", report))
    page = folder / "profile.md"
    page.write_text(profile.markdown())
    stdout().print(f"Written: {page}", soft_wrap=True)


def _run(measuring: Coroutine[Any, Any, T]) -> T:
    """Run a measurement. Raises UserError when it is invalid, or stopped by a signal."""
    try:
        return asyncio.run(_cancel_on_sigterm(measuring))
    except BenchError as error:
        raise UserError(str(error)) from error
    except asyncio.CancelledError:
        raise UserError("Stopped by a signal; nothing is written.") from None


async def _cancel_on_sigterm(measuring: Coroutine[Any, Any, T]) -> T:
    """Await `measuring`; on SIGTERM cancel it as Ctrl-C does, so that all processes are stopped."""
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await measuring


def _sizes(quick: bool, rounds: int | None, orders: Sequence[int], chosen: Sequence[str]) -> Sizes:
    sizes = QUICK if quick else FULL
    return replace(
        sizes,
        rounds=rounds or sizes.rounds,
        orders=tuple(orders) or sizes.orders,
        engines=tuple(chosen) or sizes.engines,
        later_engines=tuple(chosen) or sizes.later_engines,
    )


def _require_names(what: str, names: Sequence[str], valid: Mapping[str, object]) -> None:
    for name in names:
        if name not in valid:
            raise UserError(f"There is no {what} {name}; there are {', '.join(valid)}.")


def _table(rows: Sequence[Row]) -> Table:
    table = Table("figure", "ours", "peer", "ratio (spread)", "goal", "met")
    for row in rows:
        table.add_row(
            row.figure,
            f"{number(row.ours)} {row.unit}",
            number(row.peer),
            ratio_text(row),
            str(row.goal or "–"),
            met_text(row),
        )
    return table
