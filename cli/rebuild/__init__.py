"""`herhaal rebuild`: build a service's projections anew from the topics, and switch to them."""

from pathlib import Path
from typing import Annotated

import typer

from cli.console import EXIT_NOT_ALL
from cli.dead_letters import By
from cli.files import to_write
from cli.progress import Data


def rebuild(
    service: Annotated[str, typer.Argument(help="metrics, notification or ordering.")],
    data: Data = None,
    kafka: Annotated[str | None, typer.Option(metavar="HOST:PORT", help="Another Kafka.")] = None,
    postgres: Annotated[
        str | None, typer.Option(metavar="DSN", help="Another PostgreSQL, as its administrator.")
    ] = None,
    compare_only: Annotated[
        bool,
        typer.Option("--compare-only", help="Build and compare; do not change the running tables."),
    ] = False,
    accept_loss: Annotated[
        bool,
        typer.Option("--accept-loss", help="Switch even if rows are lost that no topic holds."),
    ] = False,
    processes: Annotated[
        int, typer.Option(min=0, max=64, help="Build processes; 0: one per core, at most four.")
    ] = 0,
    by: By = None,
    reason_text: Annotated[str, typer.Option(metavar="TEXT", help="Why, for the audit.")] = "",
    json: Annotated[
        Path | None,
        typer.Option(callback=to_write, help="Write the figures to this file."),
    ] = None,
) -> None:
    """Rebuild a service's projections from the topics, beside the running ones, and switch.

    The service may keep running. Nothing is published again. Exits with 0 when done, 1 when not; with
    --compare-only, 2 when the running tables differ from the topics.
    """
    from cli.dead_letters.commands import signature
    from cli.rebuild.command import RebuildRequest, load_rebuild, run_rebuild
    from cli.up import DEFAULT_DATA
    from cli.verify.command import addresses

    load_rebuild(service)
    servers = addresses(data or DEFAULT_DATA, kafka, postgres)
    signed = signature(by, reason_text)
    request = RebuildRequest(service, *servers, signed, accept_loss, compare_only, processes)
    if not run_rebuild(request, json) and compare_only:
        raise typer.Exit(EXIT_NOT_ALL)
