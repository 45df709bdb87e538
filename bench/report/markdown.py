"""The result as a page."""

from collections.abc import Mapping, Sequence
from typing import Any

from bench.result import Row

_READ = """\
A ratio is ours divided by the peer's, of runs that took turns on the same servers with the same data;
shown is the median of the rounds, and the least and most. For a time or a size, less is better. Rates
are from the broker's own append times of outputs that were counted and compared afterwards. What is
measured, how, and why it is fair: [performance](../docs/architecture/performance.md).
"""


def markdown(
    rows: Sequence[Row], raw: Sequence[Mapping[str, Any]], machine: Mapping[str, str], title: str
) -> str:
    """The whole page."""
    parts = [f"# {title}\n", _READ, "![The figures as bars](results.svg)\n", _table(rows)]
    notes = _notes(rows)
    if notes:
        parts.append(notes)
    rounds = _rounds(raw)
    if rounds:
        parts += ["## Order validation, round by round\n", rounds]
    parts += ["## The machine\n", _pairs(machine)]
    return "\n".join(parts)


def number(value: float | None) -> str:
    """A number as a person reads it; a dash without one."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def ratio_text(row: Row) -> str:
    """The ratio with its spread."""
    if row.ratio is None or row.spread is None:
        return "–"
    least, most = row.spread
    return f"{row.ratio:.2f} × ({least:.2f}–{most:.2f})"


def met_text(row: Row) -> str:
    """Whether the goal is met, in a word."""
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
    runs = [run for run in raw if run["figure"] == "validation"]
    cells: dict[tuple[str, int], list[str]] = {}
    for run in runs:
        where = (run["engine"], run["job"])
        cells.setdefault(where, []).append(f"{run['per_s']:,.0f}")
    if not cells:
        return ""
    most = max(map(len, cells.values()))
    head = "".join(f" {place} |" for place in range(1, most + 1))
    lines = [f"| engine | orders |{head}", "|---|--:|" + "--:|" * most]
    lines += [
        f"| {name} | {size:,} | {' | '.join(found)} |" for (name, size), found in cells.items()
    ]
    return "\n".join(lines) + "\n"


def _pairs(machine: Mapping[str, str]) -> str:
    return "| | |\n|---|---|\n" + "".join(
        f"| {name} | {text} |\n" for name, text in machine.items()
    )
