"""`herhaal audit`: check the audit trails, export a patient's, delete what was kept long enough."""

from pathlib import Path
from typing import Annotated

import typer

from cli.dead_letters import By
from cli.progress import Data, Kafka, Postgres

app = typer.Typer(
    help="Check the audit trails of all services, export a patient's, delete what was kept long enough.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

KeyFile = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="The keys of the trails, newest first; default HERHAAL_AUDIT_KEY, else the stack's.",
    ),
]


@app.command()
def verify(
    data: Data = None, kafka: Kafka = None, postgres: Postgres = None, key_file: KeyFile = None
) -> None:
    """Check that no row was changed, removed, put in or moved since it was written.

    Exits with 0 when all trails are whole, 1 when one is not, or a server is unavailable.
    """
    from cli.audit_trail.commands import Trails, run_verify

    if not run_verify(Trails.of_stack(data, kafka, postgres, key_file)):
        raise typer.Exit(1)


@app.command()
def export(
    patient: Annotated[str, typer.Argument(metavar="pat_…", help="Whose trail.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A new file: .csv or .jsonl.")],
    first: Annotated[
        str | None, typer.Option("--from", metavar="DAY", help="From this day, in Amsterdam.")
    ] = None,
    last: Annotated[
        str | None, typer.Option("--to", metavar="DAY", help="Up to and including this day.")
    ] = None,
    data: Data = None,
    kafka: Kafka = None,
    postgres: Postgres = None,
    key_file: KeyFile = None,
    by: By = None,
    why: Annotated[
        str, typer.Option("--why", metavar="TEXT", help="Why, for the trail itself.")
    ] = "",
) -> None:
    """Write who did what to a patient's records, in all services, oldest first; times in UTC.

    The export itself is in the trail, before the file is written.
    """
    from cli.audit_trail.commands import Trails, run_export
    from cli.audit_trail.export import Wanted

    wanted = Wanted.read(patient, first, last, file)
    run_export(Trails.of_stack(data, kafka, postgres, key_file), wanted, by, why)


@app.command()
def expire(
    years: Annotated[
        int, typer.Option(min=5, max=20, help="How many years to keep; the law says at least 5.")
    ] = 5,
    data: Data = None,
    kafka: Kafka = None,
    postgres: Postgres = None,
    key_file: KeyFile = None,
    by: By = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete rows that were kept long enough; the trails stay whole, and say that it was done."""
    from cli.audit_trail.commands import Trails, run_expire

    run_expire(Trails.of_stack(data, kafka, postgres, key_file), years, by, yes)
