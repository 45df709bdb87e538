"""`herhaal systems`: outside systems, their credentials, topics and access lists."""

from pathlib import Path
from typing import Annotated

import typer

from cli.topics import Kafka

app = typer.Typer(
    help="Add and remove outside systems: portals, practice systems, pharmacy systems.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Name = Annotated[
    str, typer.Argument(help="Lower case letters, digits and dashes, such as linde-portaal.")
]
Data = Annotated[
    Path | None, typer.Option(help="The stack's folder; default .herhaal/data in the checkout.")
]


@app.command()
def add(
    name: Name,
    kind: Annotated[
        str | None, typer.Option(help="portal, practice-system or pharmacy-system.")
    ] = None,
    practice: Annotated[
        list[str] | None, typer.Option(metavar="AGB", help="It serves this one. Repeatable.")
    ] = None,
    region: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="It serves all practices of this one. Repeatable."),
    ] = None,
    pharmacy: Annotated[
        list[str] | None, typer.Option(metavar="AGB", help="It serves this one. Repeatable.")
    ] = None,
    contact: Annotated[str, typer.Option(metavar="TEXT", help="Whom to call about it.")] = "",
    kafka: Kafka = "",
    data: Data = None,
) -> None:
    """Give a system its topic, its access lists and its credentials, which are shown once.

    A system of the directory file needs no options: `herhaal directory apply` made the rest. Exits with 0
    when done, 1 when it has credentials already or Kafka refuses.
    """
    from cli.systems.commands import Wanted, run_add

    wanted = Wanted(name, kind, practice or [], region or [], pharmacy or [], contact)
    run_add(kafka, data, wanted)


@app.command("list")
def list_systems(kafka: Kafka = "") -> None:
    """Show every system, whom it serves, and whether it has credentials."""
    from cli.systems.commands import run_list

    run_list(kafka)


@app.command()
def rotate(name: Name, kafka: Kafka = "", data: Data = None) -> None:
    """Give a system new credentials, shown once; the old ones are refused from the next login on."""
    from cli.systems.commands import run_rotate

    run_rotate(kafka, data, name)


@app.command()
def remove(name: Name, kafka: Kafka = "", data: Data = None) -> None:
    """Take away what a system may do, also from its open connections. Its name stays taken."""
    from cli.systems.commands import run_remove

    run_remove(kafka, data, name)
