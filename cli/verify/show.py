"""Prints the verdict: a table of the rules, and one of the figures."""

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from verify.checker import RULES, Verdict, Violation

FIRST = 3
"""The most violations that are shown of a rule."""


def show(
    verdict: Verdict, left: Sequence[str], seconds: Mapping[str, float], console: Console
) -> None:
    """Print the verdict; `left` is what was still going on when the dump was taken."""
    console.print(_rules(verdict))
    console.print(_figures(verdict, seconds))
    for what in left:
        console.print(Text(f"Not at rest: {what}.", style="yellow"))
    if verdict.clean and not left:
        console.print(Text("Clean: every rule holds.", style="green"))
    else:
        text = f"{len(verdict.violations)} violations" + (", and not at rest." if left else ".")
        console.print(Text(text, style="red"))


def _rules(verdict: Verdict) -> Table:
    table = Table(title="Verify")
    table.add_column("rule", no_wrap=True)
    table.add_column("verdict", justify="right")
    table.add_column("", overflow="fold")
    for name, violations in verdict.by_rule.items():
        if violations:
            table.add_row(name, Text(str(len(violations)), style="red"), _first(violations))
        else:
            table.add_row(name, Text("ok", style="green"), Text(_summary(name), style="dim"))
    return table


def _summary(name: str) -> str:
    """Get the first line of a rule's docstring."""
    return (RULES[name].__doc__ or "").strip().partition("\n")[0]


def _first(violations: Sequence[Violation]) -> Text:
    lines = [f"{violation.where}: {violation.what}" for violation in violations[:FIRST]]
    if len(violations) > FIRST:
        lines.append(f"and {len(violations) - FIRST} more")
    return Text("\n".join(lines))


def _figures(verdict: Verdict, seconds: Mapping[str, float]) -> Table:
    counts = verdict.counts
    table = Table("what", "how many", title="Figures")
    for name in ("sent", "acknowledged", "unknown", "refused", "decided", "records"):
        table.add_row(name, f"{getattr(counts, name)}")
    for topic, repeated in counts.raw_duplicates.items():
        table.add_row(f"raw duplicates on {topic}", f"{repeated}")
    for service, reasons in counts.dead_letters.items():
        for reason, number in reasons.items():
            table.add_row(f"dead letters of {service}: {reason}", f"{number}")
    for service, hosts in counts.members.items():
        for host, number in hosts.items():
            table.add_row(f"members of {service} on {host}", f"{number}")
    for what, took in seconds.items():
        table.add_row(f"seconds to {what}", f"{took:.1f}")
    return table
