"""`herhaal topics`: compare and create the registry's topics and access lists on a broker."""

from typing import Annotated

import typer

from cli.console import EXIT_NOT_ALL, UserError

app = typer.Typer(
    help="Compare a broker's topics and access lists with the registry, and create or change them.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


def _address(value: str) -> str:
    """Check the address; without one, take that of the stack that runs on the default data folder."""
    from runtime.kafka_address import Address, InvalidAddress

    if value:
        try:
            Address.parse(value)
        except InvalidAddress as error:
            raise typer.BadParameter(str(error)) from None
        return value
    return _local_kafka()


def _local_kafka() -> str:
    from cli.up import DEFAULT_DATA
    from deploy.local.data import DataFolder

    endpoints = DataFolder(DEFAULT_DATA).running_endpoints()
    if endpoints is None:
        raise UserError(
            "No stack runs on this machine's default data folder: start one with ./herhaal up, or name another"
            " Kafka with --kafka or HERHAAL_KAFKA."
        )
    return endpoints["kafka"]


Kafka = Annotated[
    str,
    typer.Option(
        envvar="HERHAAL_KAFKA",
        metavar="ADDRESS",
        callback=_address,
        show_default=False,
        help="Where Kafka is, and as whom: kafka://USER:PASSWORD@HOST:PORT; default: the local stack's.",
    ),
]


@app.command()
def plan(kafka: Kafka = "") -> None:
    """Show how the broker's topics and access lists differ from the registry, without changing them.

    Exits with 0 when it does not differ, 2 when it does, 1 when Kafka is unavailable.
    """
    from cli.topics.commands import run_plan

    if run_plan(kafka):
        raise typer.Exit(EXIT_NOT_ALL)


@app.command()
def apply(
    kafka: Kafka = "",
    replication: Annotated[
        int | None,
        typer.Option(
            min=1, max=99, help="Copies of each new topic; default 3, at most one per broker."
        ),
    ] = None,
    prune: Annotated[
        bool, typer.Option("--prune", help="Remove access lists that nothing asks for.")
    ] = False,
) -> None:
    """Show how the broker differs from the registry, create what is missing, set what differs.

    Never deletes a topic, changes its partitions, or changes a setting so that records are deleted or
    larger ones refused. An access list that nothing asks for is named, and removed only with --prune.
    Exits with 0 when done, 1 when Kafka is unavailable or refuses.
    """
    from cli.topics.commands import run_apply

    run_apply(kafka, replication, prune=prune)
