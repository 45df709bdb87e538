"""`herhaal progress`: where each service stands in its topics, and going on where Kafka has changed."""

from pathlib import Path
from typing import Annotated

import typer

from cli.dead_letters import By

app = typer.Typer(
    help="Show where each service stands, and let one go on with a Kafka that is not the one it knew.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Data = Annotated[
    Path | None, typer.Option(help="The stack's folder; default .herhaal/data in the checkout.")
]
Kafka = Annotated[str | None, typer.Option(metavar="HOST:PORT", help="Another Kafka.")]
Postgres = Annotated[
    str | None, typer.Option(metavar="DSN", help="Another PostgreSQL, as its administrator.")
]


@app.command()
def show(
    service: Annotated[
        str | None, typer.Argument(help="ordering, medication, notification or metrics; all.")
    ] = None,
    data: Data = None,
    kafka: Kafka = None,
    postgres: Postgres = None,
) -> None:
    """Hold where services stand against what Kafka has. Exits with 1 when something does not fit."""
    from cli.progress.commands import At, run_show

    if not run_show(At.found(data, kafka, postgres), service):
        raise typer.Exit(1)


@app.command()
def accept(
    service: Annotated[str, typer.Argument(help="ordering, medication, notification or metrics.")],
    data: Data = None,
    kafka: Kafka = None,
    postgres: Postgres = None,
    by: By = None,
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="Why, for the audit.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Let a service that refuses to run go on with this Kafka, after saying what is lost by that.

    Where a partition does not fit, the service starts at its beginning: what it knows already changes
    nothing. medication also takes the overviews that only Kafka has, and publishes those that Kafka lacks.
    """
    from cli.progress.commands import At, run_accept

    run_accept(At.found(data, kafka, postgres), service, by, why, yes)
