"""Prints what a check found and what `apply` did."""

from typing import TypeVar

import typer
from pydantic import BaseModel
from rich.table import Table

from cli.console import stdout
from cli.entries.checking import Checked
from cli.entries.publishing import Report, State

M = TypeVar("M", bound=BaseModel)


def or_exit(checked: Checked[M]) -> M:
    """Print errors and warnings on standard error, and return the content. Exit with 1 on errors."""
    for line in (*checked.lines(warnings=True), *checked.lines(warnings=False)):
        typer.echo(line, err=True)
    if checked.content is None:
        raise typer.Exit(1)
    return checked.content


def show(report: Report, *columns: str) -> None:
    """Print every entry with its state, and the totals. `columns` name the key and the name."""
    table = Table(*columns, "what", "version", "changed")
    for row in report.rows:
        table.add_row(row.key, row.name, row.state, str(row.version), ", ".join(row.changed))
    console = stdout()
    console.print(table)
    counted = [f"{n} {state}" for state in State if (n := report.count(state))]
    console.print("; ".join(counted) or "nothing in the file", highlight=False)
