"""Runs the benchmark: start servers, measure the figures one after the other, write the result."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from bench.arena import arena
from bench.engines.all import engines
from bench.engines.ours import Ours
from bench.figures import (
    dashboard,
    full_output,
    intake,
    kafka_access,
    latency,
    memory,
    patients,
    rebuild,
    validation,
)
from bench.plan import Bench, Figure, Sizes
from bench.profile import Profile, profile
from bench.report.machine import machine
from bench.report.markdown import markdown
from bench.report.svg import bars, svg
from bench.result import Row
from bench.validation import job
from deploy.local import Report

_MODULES = (
    validation,
    full_output,
    patients,
    intake,
    latency,
    kafka_access,
    rebuild,
    dashboard,
    memory,
)

FIGURES: dict[str, Figure] = {figure.NAME: figure.measure for figure in _MODULES}

TITLE = "How fast herhaal is"


@dataclass(frozen=True)
class Result:
    """The result of a run of the benchmark."""

    rows: list[Row]
    raw: list[dict[str, Any]]
    machine: Mapping[str, str]
    titles: Mapping[str, str]

    def write(self, json: Path) -> None:
        """Write the JSON file, with RESULTS.md and results.svg beside it."""
        rows = [row.as_json() for row in self.rows]
        whole = {"rows": rows, "machine": dict(self.machine), "runs": self.raw}
        json.parent.mkdir(parents=True, exist_ok=True)
        json.write_bytes(orjson.dumps(whole, option=orjson.OPT_INDENT_2) + b"\n")
        page = markdown(self.rows, self.raw, self.machine, TITLE)
        json.with_name("RESULTS.md").write_text(page)
        picture = svg(bars(self.raw, self.titles), "Order validation, orders/s")
        json.with_name("results.svg").write_text(picture)


async def run_profile(sizes: Sizes, stacks: Path, report: Report) -> Profile:
    """Profile one of our workers while it decides the orders of the first size.

    Raises StackError or BenchError as `run`.
    """
    with tempfile.TemporaryDirectory(prefix="herhaal-bench-") as folder:
        async with arena(Path(folder), report) as servers:
            report.status("Making the orders …")
            whole = job(sizes.orders[0])
            report.status("Profiling one worker …")
            return await profile(servers, Ours(1), whole, stacks)


async def run(figures: Sequence[str], sizes: Sizes, report: Report) -> Result:
    """Measure these figures, and stop everything.

    Raises StackError when servers cannot be started, BenchError when an engine fails or is wrong.
    """
    rows: list[Row] = []
    raw: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="herhaal-bench-") as folder:
        async with arena(Path(folder), report, timed=not sizes.quick) as servers:
            description = await machine(servers.stack)
            for name in figures:
                measured = await FIGURES[name](Bench(servers, sizes, report))
                rows += measured.rows
                raw += measured.raw
    titles = {name: engine.title for name, engine in engines(report).items()}
    return Result(rows, raw, description, titles)
