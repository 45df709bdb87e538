"""What a rebuild shows: a bar on a terminal and lines elsewhere while it goes on, then what came of it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.table import Table

from runtime.rebuild.report import Progress, Result

EVERY_S = 5.0
"""How often there is a line where there is no terminal."""


@contextmanager
def progress(console: Console) -> Iterator[Progress]:
    """Shows a rebuild while it goes on."""
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
        yield Moving(bar)


class _Counting:
    """What is done of what, and how fast."""

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


class Moving(_Counting):
    """A bar."""

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
    """A line at the beginning of each step, and now and then."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console
        self._next_s = 0.0

    def begin(self, what: str, records: int) -> None:
        super().begin(what, records)
        self._next_s = time.monotonic() + EVERY_S
        self._say(f"{what}: {records:,} records" if records else f"{what} …")

    def built(self, records: int) -> None:
        self.done += records
        if time.monotonic() > self._next_s:
            self._next_s = time.monotonic() + EVERY_S
            left_s = (self.total - self.done) / max(1.0, self.per_s)
            self._say(
                f"{self.what}: {self.done:,} of {self.total:,} records, {self.rate}, {left_s:.0f} s left"
            )

    def _say(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)


def show(service: str, result: Result, console: Console) -> None:
    """Everything that came of it."""
    console.print(_differences(result))
    for reason, records in sorted(result.refused.items()):
        console.print(f"{records:,} records passed over: {reason}", markup=False, highlight=False)
    rate = f", {result.bulk.records_per_s:,.0f}/s" if result.bulk.records else ""
    console.print(
        f"{result.records:,} records in {result.seconds:.1f} s{rate}. {_verdict(service, result)}",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )


def _differences(result: Result) -> Table:
    table = Table("table", title="What was built, against what ran")
    for title in ("rows", "added", "changed", "gone"):
        table.add_column(title, justify="right")
    for found in result.differences:
        counts = (found.rows, found.added, found.changed, found.gone)
        table.add_row(found.table, *(f"{count:,}" for count in counts))
    return table


def _verdict(service: str, result: Result) -> str:
    differs = any(found.any for found in result.differences)
    found = "they differed from what the topics tell" if differs else "they were right"
    if result.switched:
        return f"{service} runs on the new tables; of the old ones, {found}."
    return f"Nothing is switched; of the running tables, {found}."
