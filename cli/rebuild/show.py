"""Prints a rebuild: a progress bar on a terminal, lines elsewhere, and the result."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.table import Table

from cli.console import print_plain
from runtime.rebuild.report import Progress, Result

EVERY_S = 5.0
"""Seconds between two lines without a terminal."""


@contextmanager
def progress(console: Console) -> Iterator[Progress]:
    """Show the progress of a rebuild."""
    if not console.is_terminal:
        yield Lines(console)
        return
    bar = Bar(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("records  {task.fields[rate]}"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    )
    with bar:
        yield ProgressBar(bar)


class _Counting:
    """Counts the records of the current step, and their rate."""

    def __init__(self) -> None:
        self.what, self.total, self.done, self._began_s = "", 0, 0, 0.0

    def begin(self, what: str, records: int) -> None:
        self.what, self.total, self.done, self._began_s = what, records, 0, time.monotonic()

    @property
    def per_s(self) -> float:
        return self.done / max(0.001, time.monotonic() - self._began_s)

    @property
    def rate(self) -> str:
        return f"{self.per_s:,.0f}/s" if self.done else ""


class ProgressBar(_Counting):
    """Progress as a bar."""

    def __init__(self, bar: Bar) -> None:
        super().__init__()
        self._bar = bar
        self._task = bar.add_task("Starting", total=None, rate="")

    def begin(self, what: str, records: int) -> None:
        super().begin(what, records)
        self._bar.reset(self._task, total=records or None, description=what, rate="")

    def built(self, records: int) -> None:
        self.done += records
        self._bar.update(self._task, advance=records, rate=self.rate)


class Lines(_Counting):
    """Progress as a line at the start of each step and every EVERY_S seconds."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console
        self._next_s = 0.0

    def begin(self, what: str, records: int) -> None:
        super().begin(what, records)
        self._next_s = time.monotonic() + EVERY_S
        self._print(f"{what}: {records:,} records" if records else f"{what} …")

    def built(self, records: int) -> None:
        self.done += records
        if time.monotonic() > self._next_s:
            self._next_s = time.monotonic() + EVERY_S
            left_s = (self.total - self.done) / max(1.0, self.per_s)
            self._print(
                f"{self.what}: {self.done:,} of {self.total:,} records, {self.rate}, {left_s:.0f} s left"
            )

    def _print(self, text: str) -> None:
        print_plain(self._console, text)


def show(service: str, result: Result, console: Console) -> None:
    """Print the result: differences, skipped records, rate."""
    console.print(_differences(result))
    for reason, records in sorted(result.refused.items()):
        console.print(f"{records:,} records passed over: {reason}", markup=False, highlight=False)
    rate = f", {result.bulk.records_per_s:,.0f}/s" if result.bulk.records else ""
    print_plain(
        console,
        f"{result.records:,} records in {result.seconds:.1f} s{rate}. {_verdict(service, result)}",
    )


def _differences(result: Result) -> Table:
    table = Table("table", title="What was built, against what ran")
    for title in ("rows", "added", "changed", "gone"):
        table.add_column(title, justify="right")
    for diff in result.differences:
        counts = (diff.rows, diff.added, diff.changed, diff.gone)
        table.add_row(diff.table, *(f"{count:,}" for count in counts))
    return table


def _verdict(service: str, result: Result) -> str:
    differs = any(diff.any for diff in result.differences)
    if result.switched:
        old = "differed from the topics" if differs else "matched the topics"
        return f"{service} runs on the new tables; the old ones {old}."
    live = "differ from the topics" if differs else "match the topics"
    return f"Nothing is switched; the running tables {live}."
