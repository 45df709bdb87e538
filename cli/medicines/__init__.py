"""`herhaal medicines`: check a list of medicine groups, publish it to Kafka, show what counts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.topics import Kafka

if TYPE_CHECKING:
    from cli.entries.publishing import Report
    from schemas.records.medicines import MedicineListEntry

app = typer.Typer(
    help="Check a list of medicine groups, publish it when it changed, and show what counts.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

File = Annotated[Path, typer.Argument(metavar="FILE", help="YAML; see deploy/lists.")]


@app.command()
def check(file: File) -> None:
    """Check a list, and print each error with its line number.

    Exits with 0 when there is none (warnings are allowed), 1 otherwise.
    """
    from cli.medicines.commands import run_check

    run_check(file)


@app.command()
def apply(file: File, kafka: Kafka = "") -> None:
    """Check a list, and publish it when it differs from what is on Kafka.

    Exits with 0 when done, 1 when the file has errors (then nothing is published), or Kafka is unavailable
    or refuses.
    """
    from cli.medicines.commands import run_apply

    run_apply(file, kafka)


@app.command()
def show(
    atc: Annotated[
        str | None,
        typer.Argument(metavar="ATC", help="Only the group that counts for this code."),
    ] = None,
    region: Annotated[
        str | None, typer.Option(metavar="NAME", help="For practices of this region.")
    ] = None,
    kafka: Kafka = "",
) -> None:
    """Show the list that counts, and who signed it; or the group of one ATC code."""
    from cli.medicines.commands import run_show

    run_show(atc, region, kafka)


def read_list(path: Path) -> MedicineListEntry:
    """Read a list of medicine groups.

    Raises:
        UserError: it cannot be read, or has errors; the message has one line for each.
    """
    from cli.medicines.file import check

    return check(path).good()


async def apply_list(bootstrap: str, list_: MedicineListEntry) -> Report:
    """Publish a list of medicine groups, when it differs from what is on Kafka.

    Raises:
        KafkaError, OSError: Kafka is unavailable (also NotPublished and TimeoutError) or refuses.
    """
    from cli.medicines.publish import publish_list

    return await publish_list(bootstrap, list_)
