"""The result as a page."""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from bench.result import Row

_READ = """\
A ratio is ours divided by the peer's, of runs that took turns on the same servers with the same data;
shown is the median of the rounds, and the least and most. For a time or a size, less is better. Rates
are from the broker's own append times of outputs that were counted and compared afterwards. A ratio
without a goal, such as that to Kafka Streams, is to stay within its spread. What is measured, how, and
why it is fair: [performance](../docs/architecture/performance.md).
"""


_ROUNDS = """\
The first output is counted from the start of the process. Processor time is that of the engine, the
servers and the outsider from the first outputs on; *others* is the part of all processors that anything
else on the machine took meanwhile, which is how much a run was disturbed.
"""


def markdown(
    rows: Sequence[Row], raw: Sequence[Mapping[str, Any]], machine: Mapping[str, str], title: str
) -> str:
    """Format the whole page."""
    parts = [f"# {title}\n", _READ, "![The figures as bars](results.svg)\n", _table(rows)]
    notes = _notes(rows)
    if notes:
        parts.append(notes)
    rounds = _rounds(raw)
    if rounds:
        parts += ["## Order validation, orders/s round by round\n", rounds, _ROUNDS]
    parts += ["## The machine\n", _pairs(machine)]
    return "\n".join(parts)


def number(value: float | None) -> str:
    """Format a number for people; a dash for None."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def ratio_text(row: Row) -> str:
    """Format the ratio with its spread."""
    if row.ratio is None or row.spread is None:
        return "–"
    least, most = row.spread
    return f"{row.ratio:.2f} × ({least:.2f}–{most:.2f})"


def met_text(row: Row) -> str:
    """Say in a word whether the goal is met."""
    return {True: "yes", False: "no", None: "–" if row.ratio or row.ours else "n/a"}[row.met]


def _table(rows: Sequence[Row]) -> str:
    head = "| figure | unit | ours | peer | ratio (spread) | goal | met |\n|---|---|--:|--:|--:|---|---|\n"
    return head + "".join(
        f"| {row.figure} | {row.unit} | {number(row.ours)} | {number(row.peer)} | {ratio_text(row)}"
        f" | {row.goal or '–'} | {met_text(row)} |\n"
        for row in rows
    )


def _notes(rows: Sequence[Row]) -> str:
    return "".join(f"- {row.figure}: {row.note}.\n" for row in rows if row.note)


def _rounds(raw: Sequence[Mapping[str, Any]]) -> str:
    runs: dict[tuple[str, int], list[Mapping[str, Any]]] = {}
    for run in raw:
        if run["figure"] == "validation":
            runs.setdefault((run["engine"], run["job"]), []).append(run)
    if not runs:
        return ""
    rounds = range(1, max(map(len, runs.values())) + 1)
    head = "".join(f" {number} |" for number in rounds)
    lines = [
        f"| engine | orders |{head} first output, s | {_CPU} | others took |",
        "|---|--:|" + "--:|" * len(rounds) + "--:|---|--:|",
    ]
    for (engine, size), engine_runs in runs.items():
        rates = " | ".join(f"{run['per_s']:,.0f}" for run in engine_runs)
        first_s = statistics.median(run["first_output_s"] for run in engine_runs)
        others = [run["others"] for run in engine_runs]
        lines.append(
            f"| {engine} | {size:,} | {rates} | {first_s:.1f} | {_cpu(engine_runs)}"
            f" | {min(others):.0%}–{max(others):.0%} |"
        )
    return "\n".join(lines) + "\n"


_CPU = "µs of processor an order (median)"


def _cpu(runs: Sequence[Mapping[str, Any]]) -> str:
    by_user = [run["cpu_us"] for run in runs if run["cpu_us"]]
    if not by_user:
        return "–"
    return ", ".join(
        f"{who} {statistics.median(cpu_us[who] for cpu_us in by_user):.0f}" for who in by_user[0]
    )


def _pairs(machine: Mapping[str, str]) -> str:
    return "| | |\n|---|---|\n" + "".join(
        f"| {name} | {text} |\n" for name, text in machine.items()
    )
