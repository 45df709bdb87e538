"""`herhaal directory`: the region's practices and pharmacies, from a YAML file to Kafka."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.topics import Kafka

if TYPE_CHECKING:
    from cli.directory.publish import Report
    from schemas.records.directory import Directory

app = typer.Typer(
    help="Check a directory file, and bring what changed in it to Kafka.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

File = Annotated[Path, typer.Argument(metavar="FILE", help="YAML; see deploy/example.")]


@app.command()
def check(file: File) -> None:
    """Check a directory file: every error on a line of its own, with the number of its line.

    Exits with 0 when there is none (warnings are allowed), 1 otherwise.
    """
    from cli.directory.commands import run_check

    run_check(file)


@app.command()
def apply(file: File, kafka: Kafka = "127.0.0.1:9092") -> None:
    """Check a directory file, make the pharmacies' topics, and publish the entries that changed.

    An entry that is on Kafka but not in the file is left alone. Exits with 0 when done, 1 when the
    file has errors (nothing is published then) or Kafka cannot be asked or refuses.
    """
    from cli.directory.commands import run_apply

    run_apply(file, kafka)


def read_directory(path: Path) -> Directory:
    """The directory in a file.

    Raises:
        UserError: it cannot be read, or has errors; the message has one line for each.
    """
    from cli.directory.file import read

    return read(path)


async def apply_directory(bootstrap: str, directory: Directory) -> Report:
    """Bring a directory to Kafka: the pharmacies' topics first, then each entry that changed.

    Raises:
        KafkaError, OSError: Kafka does not answer (also NotPublished and TimeoutError), or refuses.
    """
    from cli.directory.publish import bring

    return await bring(bootstrap, directory)
