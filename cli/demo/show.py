"""Prints the demo: a progress bar, then the result."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar
from rich.table import Table

from cli.demo.outcome import Outcome


class Progress:
    """A progress bar of answered orders."""

    def __init__(self, console: Console) -> None:
        self._bar = Bar(
            TextColumn("Orders answered"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
        )
        self._task = self._bar.add_task("", total=None, visible=False)

    def __enter__(self) -> "Progress":
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def begin(self, orders: int) -> None:
        """Show the bar, with the number of orders."""
        self._bar.update(self._task, total=orders, visible=True)

    def answered(self, orders: int) -> None:
        """Set the number of answered orders."""
        self._bar.update(self._task, completed=orders)


def show(outcome: Outcome, console: Console) -> None:
    """Print the result."""
    console.print(_outcomes(outcome.proof.outcomes))
    if outcome.example:
        console.print(_answer(outcome.example))
    for chapter in outcome.chapters:
        console.print(Panel(escape(chapter.text), title=chapter.title))
    console.print(_channels(outcome.counts))
    p50, p99 = outcome.latency(50), outcome.latency(99)
    console.print(f"Order → answer: p50 {p50:.0f} ms, p99 {p99:.0f} ms")
    console.print(f"Start {outcome.start_s:.1f} s, orders {outcome.run_s:.1f} s")
    console.print(_proof(outcome))


def _outcomes(outcomes: Mapping[str, int]) -> Table:
    table = Table("Outcome of a line", "Reason", title="Lines by outcome")
    table.add_column("Lines", justify="right")
    for label, lines in outcomes.items():
        outcome, _, reasons = label.partition(": ")
        table.add_row(outcome, reasons, str(lines))
    return table


def _answer(message: Mapping[str, Any]) -> Panel:
    dutch, english = (
        f"[bold]{message['subject'][language]}[/bold]\n\n{message['text'][language].strip()}"
        for language in ("nl", "en")
    )
    return Panel(f"{dutch}\n\n[dim]— in English —[/dim]\n\n{english}", title="One patient's answer")


def _channels(counts: Mapping[str, Mapping[str, int]]) -> Table:
    channels = sorted({channel for by_channel in counts.values() for channel in by_channel})
    table = Table("Channel", title="Orders per channel and practice")
    for practice in counts:
        table.add_column(practice, justify="right")
    for channel in channels:
        table.add_row(channel, *(str(by_channel.get(channel, 0)) for by_channel in counts.values()))
    return table


def _proof(outcome: Outcome) -> Table:
    proof = outcome.proof
    table = Table("Proof", title="Every order exactly once")
    table.add_column("Found", justify="right")
    table.add_column("Expected", justify="right")
    for what, found, expected in (
        ("orders decided", proof.decided, proof.orders),
        ("orders answered", proof.answers, proof.orders),
        ("prescriptions for approved lines", proof.prescriptions, proof.approved_lines),
        ("lines counted", proof.counted_lines, proof.ordered_lines),
        ("dead letters", proof.dead_letters, 0),
        ("missing", len(proof.missing), 0),
        ("duplicates", len(proof.duplicates), 0),
        ("orders refused over HTTP", len(outcome.refused), 0),
    ):
        style = "green" if found == expected else "red"
        table.add_row(what, str(found), str(expected), style=style)
    return table
