"""`herhaal policy`: what another policy would have changed, in numbers."""

from pathlib import Path
from typing import Annotated

import typer

from cli.progress import Data, Postgres

app = typer.Typer(
    help="Try another policy on a practice's past orders.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.callback()
def _group() -> None:
    """Try another policy on a practice's past orders."""


@app.command("try")
def try_policy(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="YAML: the keys of `policy` in a directory file, that differ."
        ),
    ],
    practice: Annotated[str, typer.Option(metavar="AGB", help="Whose orders.")],
    months: Annotated[int, typer.Option(min=1, max=24, help="How far back.")] = 12,
    data: Data = None,
    postgres: Postgres = None,
) -> None:
    """Decide a practice's past orders again under a policy, and count what changes; nothing is switched.

    Each order is judged as it stood then; what would have followed is not simulated. Keys that are not in the
    file have their defaults. Exits with 0 when tried, 1 when the file has errors, the practice has no orders,
    or PostgreSQL is unavailable or refuses.
    """
    from cli.policy.commands import run_try

    run_try(file, practice, months, data, postgres)
