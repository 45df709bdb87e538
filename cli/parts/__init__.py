"""`herhaal parts`: the months by which large tables are parted: list, make, detach."""

from typing import Annotated

import typer

from cli.dead_letters import By
from cli.progress import Data, Kafka, Postgres

app = typer.Typer(
    help="List, make or detach the parts, a month each, of tables of orders and messages.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Only = Annotated[str | None, typer.Option(metavar="NAME", help="Only this service.")]


@app.command("list")
def list_parts(service: Only = None, data: Data = None, postgres: Postgres = None) -> None:
    """List each part with its month in UTC, rows as PostgreSQL estimates them, and size.

    A default part has what belongs to no month that has a part: `parts make` makes parts for it.
    """
    from cli.parts.commands import postgres_of, run_list

    run_list(postgres_of(data, postgres), service)


@app.command()
def make(service: Only = None, data: Data = None, postgres: Postgres = None) -> None:
    """Make the missing parts of this month, coming months, and months with rows in a default part.

    A service does the same when it starts.
    """
    from cli.parts.commands import postgres_of, run_make

    run_make(postgres_of(data, postgres), service)


@app.command()
def detach(
    service: Annotated[str, typer.Option(metavar="NAME", help="ordering or notification.")],
    before: Annotated[
        str, typer.Option(metavar="YYYY-MM", help="Months before this one; at least 20 years ago.")
    ],
    data: Data = None,
    kafka: Kafka = None,
    postgres: Postgres = None,
    by: By = None,
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="Why, for the audit.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what it would do.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Take a service's old months out of its tables, into the schema `detached` of its database.

    Nothing is deleted: a person drops the detached tables, or keeps them. The law asks to keep a medical
    file for 20 years, so a younger month is refused. The service may run. It is safe to repeat.
    """
    from cli.parts.commands import Detachment, run_detach
    from cli.progress.commands import Servers

    asked = Detachment.read(service, before, by, why)
    run_detach(Servers.of_stack(data, kafka, postgres), asked, dry_run, yes)
