"""The commands of `herhaal directory`: check a file, publish it, print the result."""

from datetime import datetime
from pathlib import Path

import typer

from cli.directory.file import check
from cli.directory.publish import publish_directory
from cli.entries.showing import or_exit, show
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
    show(ask(kafka, publish_directory(kafka, directory)), "AGB or name", "who")


def _checked(path: Path) -> Directory:
    return or_exit(check(path, datetime.now(AMSTERDAM).date()))
