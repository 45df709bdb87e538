"""`herhaal bench`: how fast we are against what a user would otherwise pick."""

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
    """Measure, show the table and write it.

    Raises UserError when a name is not known, or a measurement is not valid.
    """
    _require_known("figure", only, FIGURES)
    _require_known("engine", chosen, engines(PlainReport()))
    sizes = _sizes(quick, rounds, orders, chosen)
    whole = sizes == FULL and not only
    path = json or (RESULTS if whole else Path(tempfile.mkdtemp(prefix="herhaal-")) / RESULTS.name)
    with ConsoleReport() as report:
        result = _run(run(only or [*FIGURES], sizes, report))
    result.write(path)
    stdout().print(_table(result.rows))
    stdout().print(f"Written: {path} and, beside it, RESULTS.md and results.svg", soft_wrap=True)


def run_bench_profile(quick: bool, orders: Sequence[int], folder: Path) -> None:
    """Look at one worker while it works; writes `profile.md` and the stacks into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    sizes = _sizes(quick, None, orders, ())
    with ConsoleReport() as report:
        found = _run(run_profile(sizes, folder / "stacks.txt", report))
    page = folder / "profile.md"
    page.write_text(found.markdown())
    stdout().print(f"Written: {page}", soft_wrap=True)


def _run(measuring: Coroutine[Any, Any, T]) -> T:
    """Raises UserError when a measurement is not valid, or it was told to stop."""
    try:
        return asyncio.run(_until_told(measuring))
    except BenchError as error:
        raise UserError(str(error)) from error
    except asyncio.CancelledError:
        raise UserError("Told to stop; nothing is written.") from None


async def _until_told(measuring: Coroutine[Any, Any, T]) -> T:
    """SIGTERM ends it as Ctrl-C does: all that was started is stopped first."""
    doing = asyncio.current_task()
    assert doing is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, doing.cancel)
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


def _require_known(what: str, names: Sequence[str], known: Mapping[str, object]) -> None:
    for name in names:
        if name not in known:
            raise UserError(f"There is no {what} {name}; there are {', '.join(known)}.")


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
