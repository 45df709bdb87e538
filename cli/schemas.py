"""`herhaal schemas`: compare record types and topics with their committed snapshots."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.console import UserError

if TYPE_CHECKING:
    from schemas.contracts.snapshots import Sentences

app = typer.Typer(
    help="Check and take the snapshots of record types and topics; show AsyncAPI documents.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


Folder = Annotated[
    Path, typer.Option(help="Where the snapshots are.", exists=True, file_okay=False)
]

FOLDER = Path(__file__).parents[1] / "schemas" / "contracts" / "snapshots"


@app.command()
def check(folder: Folder = FOLDER) -> None:
    """Compare the code with the snapshots.

    Exits with 0 when they match, 1 and the differences when they do not.
    """
    from schemas.contracts import snapshots

    changed = snapshots.difference(snapshots.committed(folder), snapshots.current())
    if changed.breaking:
        raise UserError(_sentences(changed.breaking))
    if changed.drifted:
        raise UserError(
            f"Changed without breaking: {', '.join(changed.drifted)}. "
            "Run ./herhaal schemas snapshot and commit what it writes."
        )
    typer.echo("The snapshots match the code.")


@app.command()
def snapshot(
    allow_breaking: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TYPE",
            help="Allow a breaking change of this snapshot, such as order.place.v1 or topics; "
            "only for types that nobody uses yet. May be repeated.",
        ),
    ] = None,
    folder: Folder = FOLDER,
) -> None:
    """Write the snapshots from the code. Refuses a breaking change of an existing one."""
    from schemas.contracts import snapshots

    try:
        written = snapshots.write(snapshots.current(), folder, allow_breaking or ())
    except snapshots.Breaking as error:
        raise UserError(
            f"{_sentences(error.sentences)}\nNothing was written. Give the type a new version, or, "
            "if nobody uses it yet, use --allow-breaking TYPE."
        ) from error
    typer.echo("\n".join(written) if written else "Nothing has changed.")


@app.command()
def asyncapi(
    service: Annotated[str, typer.Argument(help="ordering, medication, notification or metrics.")],
    kafka: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Name this server in the document.")
    ] = None,
) -> None:
    """Print the AsyncAPI 3 document of a service as JSON."""
    from schemas.contracts import asyncapi as documents

    try:
        document = documents.document(service, kafka)
    except ValueError as error:
        raise UserError(f"{error}.") from error
    typer.echo(json.dumps(document, indent=2, ensure_ascii=False))


def _sentences(breaking: Sentences) -> str:
    return "\n".join(sentence for found in breaking.values() for sentence in found)
