"""`herhaal directory`: check the region's YAML file and publish it to Kafka."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.topics import Kafka

if TYPE_CHECKING:
    from cli.entries.publishing import Report
    from schemas.records.directory import Directory

app = typer.Typer(
    help="Check a directory file, and publish its changed entries to Kafka.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

File = Annotated[Path, typer.Argument(metavar="FILE", help="YAML; see deploy/example.")]


@app.command()
def check(file: File) -> None:
    """Check a directory file, and print each error with its line number.

    Exits with 0 when there is none (warnings are allowed), 1 otherwise.
    """
    from cli.directory.commands import run_check

    run_check(file)


@app.command()
def apply(file: File, kafka: Kafka = "") -> None:
    """Check a directory file, create the pharmacies' topics, and publish the changed entries.

    An entry that is on Kafka but not in the file is left alone. Exits with 0 when done, 1 when the
    file has errors (then nothing is published), or Kafka is unavailable or refuses.
    """
    from cli.directory.commands import run_apply

    run_apply(file, kafka)


def read_directory(path: Path) -> Directory:
    """Read a directory file.

    Raises:
        UserError: it cannot be read, or has errors; the message has one line for each.
    """
    from cli.directory.file import read

    return read(path)


async def apply_directory(bootstrap: str, directory: Directory) -> Report:
    """Publish a directory: create the pharmacies' topics, then publish each changed entry.

    Raises:
        KafkaError, OSError: Kafka is unavailable (also NotPublished and TimeoutError) or refuses.
    """
    from cli.directory.publish import publish_directory

    return await publish_directory(bootstrap, directory)
