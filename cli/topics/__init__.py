"""`herhaal topics`: compare and create the registry's topics on a broker."""

import re
from typing import Annotated

import typer

from cli.console import EXIT_NOT_ALL

app = typer.Typer(
    help="Compare the topics on a broker with the registry, and create or change them.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

_HOST_PORT = re.compile(r"^[^\s:,]+:\d{1,5}(,[^\s:,]+:\d{1,5})*$")


def _address(value: str) -> str:
    if not _HOST_PORT.match(value):
        raise typer.BadParameter("is not HOST:PORT[,HOST:PORT]")
    return value


Kafka = Annotated[
    str,
    typer.Option(
        envvar="HERHAAL_KAFKA", metavar="HOST:PORT", callback=_address, help="Where Kafka is."
    ),
]


@app.command()
def plan(kafka: Kafka = "127.0.0.1:9092") -> None:
    """Show how the broker differs from the registry, without changing it.

    Exits with 0 when it does not differ, 2 when it does, 1 when Kafka is unavailable.
    """
    from cli.topics.commands import run_plan

    if run_plan(kafka):
        raise typer.Exit(EXIT_NOT_ALL)


@app.command()
def apply(
    kafka: Kafka = "127.0.0.1:9092",
    replication: Annotated[
        int | None,
        typer.Option(
            min=1, max=99, help="Copies of each new topic; default 3, at most one per broker."
        ),
    ] = None,
) -> None:
    """Show how the broker differs from the registry, create what is missing, set what differs.

    Never deletes a topic, changes its partitions, or changes a setting so that records are deleted or
    larger ones refused. Exits with 0 when done, 1 when Kafka is unavailable or refuses.
    """
    from cli.topics.commands import run_apply

    run_apply(kafka, replication)
