"""`herhaal progress`: check stored offsets against Kafka, and accept another Kafka."""

from pathlib import Path
from typing import Annotated

import typer

from cli.dead_letters import By

app = typer.Typer(
    help="Check each service's stored offsets against Kafka, and let one continue with another Kafka.",
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
    """Compare the stored offsets of services with Kafka.

    Exits with 0 when every partition fits, 1 when one does not, or a server is unavailable.
    """
    from cli.progress.commands import Servers, run_show

    if not run_show(Servers.of_stack(data, kafka, postgres), service):
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
    """Let a service that refuses to run continue with this Kafka, after naming what is lost.

    In a partition that does not fit, the service starts at the beginning; repeated records change nothing.
    medication also stores the overviews that only Kafka has, and publishes those that Kafka lacks.
    """
    from cli.progress.commands import Servers, run_accept

    run_accept(Servers.of_stack(data, kafka, postgres), service, by, why, yes)
