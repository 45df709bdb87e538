"""The commands of `herhaal directory`: check a file, publish it, print the result."""

from datetime import datetime
from pathlib import Path

import typer
from rich.table import Table

from cli.console import stdout
from cli.directory.file import check
from cli.directory.publish import Report, State, publish_directory
from cli.kafka import ask
from schemas.records.directory import Directory
from schemas.times import AMSTERDAM


def run_check(path: Path) -> None:
    """Print the errors of a file; exit with 1 when there are any.

    Raises:
        UserError: the file cannot be read.
    """
    directory = _checked(path)
    counted = f"{len(directory.practices)} practices, {len(directory.pharmacies)} pharmacies"
    typer.echo(f"{path}: {counted} and {len(directory.systems)} systems, no errors")


def run_apply(path: Path, kafka: str) -> None:
    """Publish a file; exit with 1 when it has errors.

    Raises:
        UserError: the file cannot be read, or Kafka is unavailable or refuses.
    """
    directory = _checked(path)
    show(ask(kafka, publish_directory(kafka, directory)))


def show(report: Report) -> None:
    """Print every entry with its state, and the totals."""
    table = Table("AGB or name", "who", "what", "version", "changed")
    for row in report.rows:
        table.add_row(row.key, row.name, row.state, str(row.version), ", ".join(row.changed))
    console = stdout()
    console.print(table)
    counted = [f"{n} {state}" for state in State if (n := report.count(state))]
    console.print("; ".join(counted) or "nothing in the file", highlight=False)


def _checked(path: Path) -> Directory:
    """Check a file and print errors and warnings on standard error. Exit with 1 on errors."""
    checked = check(path, datetime.now(AMSTERDAM).date())
    for line in (*checked.lines(warnings=True), *checked.lines(warnings=False)):
        typer.echo(line, err=True)
    if checked.directory is None:
        raise typer.Exit(1)
    return checked.directory
