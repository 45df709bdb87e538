"""What `herhaal directory` does: checks a file, brings it to Kafka, shows what became of it."""

from datetime import datetime
from pathlib import Path

import typer
from rich.table import Table

from cli.console import stdout
from cli.directory.file import AMSTERDAM, check
from cli.directory.publish import Report, State, bring
from cli.kafka import ask
from schemas.records.directory import Directory


def run_check(path: Path) -> None:
    """Tell what is wrong with a file; exits with 1 when something is.

    Raises:
        UserError: it cannot be read.
    """
    found = _checked(path)
    typer.echo(
        f"{path}: {len(found.practices)} practices and {len(found.pharmacies)} pharmacies, no errors"
    )


def run_apply(path: Path, kafka: str) -> None:
    """Bring a file to Kafka; exits with 1 when the file has errors.

    Raises:
        UserError: the file cannot be read, Kafka does not answer, or refuses.
    """
    directory = _checked(path)
    show(ask(kafka, bring(kafka, directory)))


def show(report: Report) -> None:
    """Print every entry with what became of it, and the numbers."""
    table = Table("AGB", "name", "what", "version", "changed")
    for row in report.rows:
        table.add_row(row.agb, row.name, row.state, str(row.version), ", ".join(row.changed))
    console = stdout()
    console.print(table)
    counted = [f"{n} {state}" for state in State if (n := report.count(state))]
    console.print("; ".join(counted) or "nothing in the file", highlight=False)


def _checked(path: Path) -> Directory:
    """The directory, after telling all errors and warnings on standard error."""
    checked = check(path, datetime.now(AMSTERDAM).date())
    for line in (*checked.lines(warnings=True), *checked.lines(warnings=False)):
        typer.echo(line, err=True)
    if checked.directory is None:
        raise typer.Exit(1)
    return checked.directory
