"""`herhaal dlq`: list, show, replay and drop dead letters."""

from typing import Annotated

import typer

from cli.console import EXIT_NOT_ALL
from cli.topics import Kafka

app = typer.Typer(
    help="List, show, replay or drop the records that a service could not handle. Actions are audited.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Service = Annotated[str, typer.Argument(help="ordering, medication, notification or metrics.")]
Reason = Annotated[str | None, typer.Option(help="Only letters with this reason.")]
Topic = Annotated[str | None, typer.Option(help="Only letters of records from this topic.")]
Since = Annotated[
    str | None,
    typer.Option(metavar="TIME", help="Only from then on; 2026-11-23T10:00 is Amsterdam time."),
]
Until = Annotated[str | None, typer.Option(metavar="TIME", help="Only before then.")]
By = Annotated[
    str | None,
    typer.Option(envvar="HERHAAL_OPERATOR", metavar="NAME", help="Who you are, for the audit."),
]


@app.command("list")
def list_letters(
    service: Service,
    reason: Reason = None,
    topic: Topic = None,
    since: Since = None,
    until: Until = None,
    json: Annotated[bool, typer.Option("--json", help="As a JSON array, times in UTC.")] = False,
    kafka: Kafka = "",
) -> None:
    """List a service's dead letters: time, reason, origin and state; no content."""
    from cli.dead_letters.commands import run_list
    from cli.dead_letters.filters import read_filter

    run_list(kafka, service, read_filter(reason, topic, since, until), json)


@app.command()
def show(
    service: Service,
    letter: Annotated[str, typer.Argument(metavar="ID", help="partition:offset, as in the list.")],
    body: Annotated[
        bool, typer.Option("--body", help="Also its content; this is audited.")
    ] = False,
    by: By = None,
    reason_text: Annotated[str, typer.Option(metavar="TEXT", help="Why you look.")] = "",
    kafka: Kafka = "",
) -> None:
    """Show one dead letter: where it is from, why it died, its key and headers."""
    from cli.dead_letters.commands import run_show, signature

    run_show(kafka, service, letter, signature(by, reason_text), body)


@app.command()
def replay(
    service: Service,
    letters: Annotated[list[str] | None, typer.Argument(metavar="[ID]...")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All open letters.")] = False,
    reason: Reason = None,
    topic: Topic = None,
    since: Since = None,
    until: Until = None,
    by: By = None,
    reason_text: Annotated[str, typer.Option(metavar="TEXT", help="Why, for the audit.")] = "",
    wait: Annotated[
        float, typer.Option(min=0, max=3600, help="Seconds to wait for the service.")
    ] = 20,
    force: Annotated[
        bool,
        typer.Option(
            "--force",
            help="Also letters that are settled, out of key order, or older than the current state.",
        ),
    ] = False,
    kafka: Kafka = "",
) -> None:
    """Send dead letters' records again to their original topics, in key order, and follow them.

    Exits with 0 when all were handled, 2 when one died again, was refused by Kafka, or is not known to be
    handled, 1 when nothing was sent.
    """
    from cli.dead_letters.commands import run_replay, signature
    from cli.dead_letters.filters import read_filter, read_selection
    from cli.dead_letters.replay import ReplayRequest

    chosen = read_filter(reason, topic, since, until)
    ids = read_selection(letters or [], everything, chosen)
    request = ReplayRequest(service, ids, chosen, signature(by, reason_text), force, wait)
    if not run_replay(kafka, request):
        raise typer.Exit(EXIT_NOT_ALL)


@app.command()
def drop(
    service: Service,
    letters: Annotated[list[str], typer.Argument(metavar="ID...")],
    by: Annotated[
        str,
        typer.Option(envvar="HERHAAL_OPERATOR", metavar="NAME", help="Who you are, for the audit."),
    ],
    why: Annotated[str, typer.Option(metavar="TEXT", help="Why; name no patient.")],
    kafka: Kafka = "",
) -> None:
    """Settle dead letters without a replay. They stay on the topic until its retention ends."""
    from cli.dead_letters.commands import run_drop, signature

    run_drop(kafka, service, letters, signature(by, why))
