"""Every command with its options; what it does is in the module it imports when called."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from cli import dead_letters, directory, progress, schemas, topics

app = typer.Typer(
    name="herhaal",
    help="Online repeat medication for GP practices: services on Kafka and PostgreSQL.",
    no_args_is_help=True,
    # Rich's own way of showing help costs a third of a second of imports.
    rich_markup_mode=None,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(topics.app, name="topics")
app.add_typer(directory.app, name="directory")
app.add_typer(schemas.app, name="schemas")
app.add_typer(dead_letters.app, name="dlq")
app.add_typer(progress.app, name="progress")


@app.command()
def demo(
    orders: Annotated[int, typer.Option(min=1, max=100_000, help="How many orders to send.")] = 200,
    json: Annotated[Path | None, typer.Option(help="Write the figures to this file.")] = None,
    rate: Annotated[float, typer.Option(min=1, help="Orders per second.")] = 50,
    seed: Annotated[int, typer.Option(help="Other patients and orders.")] = 1,
) -> None:
    """Play the main job on a stack of its own: orders in, prescriptions and answers out, and proof."""
    from cli.demo.command import run_demo

    run_demo(orders, rate, json, seed)


@app.command()
def up(
    data: Annotated[
        Path | None, typer.Option(help="Where data is kept; default .herhaal/data in the checkout.")
    ] = None,
    port_base: Annotated[
        int, typer.Option(min=1, max=65000, help="Services get the ports after it; PostgreSQL +5.")
    ] = 8100,
    kafka_port: Annotated[
        int, typer.Option(min=1, max=65000, help="First of the six ports of Kafka.")
    ] = 9092,
    brokers: Annotated[int, typer.Option(help="1, or 3 with every record on three.")] = 1,
    log: Annotated[
        Literal["console", "json"], typer.Option(help="How the services write their log files.")
    ] = "json",
) -> None:
    """Start Kafka, PostgreSQL and the four services here, until Ctrl-C."""
    from cli.up import run_up

    run_up(data, port_base, kafka_port, brokers, log)


@app.command()
def serve(
    name: Annotated[str, typer.Argument(help="ordering, medication, notification or metrics.")],
    only: Annotated[
        Literal["api", "worker"] | None, typer.Option(help="One half of it, to run them apart.")
    ] = None,
    insecure_listen: Annotated[
        bool, typer.Option("--insecure-listen", help="Listen elsewhere than on loopback.")
    ] = False,
) -> None:
    """Run one service in this process, with its settings from the environment (HERHAAL_…)."""
    from cli.serve import run_serve

    run_serve(name, only, insecure_listen)


@app.command()
def lag(
    kafka: topics.Kafka = "127.0.0.1:9092",
    watch: Annotated[
        bool, typer.Option("--watch", help="Again every 2 seconds, until Ctrl-C.")
    ] = False,
    partitions: Annotated[
        bool, typer.Option("--partitions", help="A row for each partition, not only each topic.")
    ] = False,
) -> None:
    """Show how many records wait for each service. Exits with 0, however many there are."""
    from cli.lag import run_lag

    run_lag(kafka, watch, partitions)


Data = Annotated[
    Path | None, typer.Option(help="The stack's data; default .herhaal/data in the checkout.")
]


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A new file, such as x.tar.gz.")],
    data: Data = None,
    databases_only: Annotated[
        bool,
        typer.Option("--databases-only", help="Only the four databases, while the stack runs."),
    ] = False,
) -> None:
    """Copy a stopped local stack, Kafka and PostgreSQL, into one file with checksums."""
    from cli.backup import run_backup

    run_backup(file, data, databases_only)


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `herhaal backup` wrote.")],
    data: Data = None,
    databases_only: Annotated[
        bool,
        typer.Option(
            "--databases-only",
            help="Put older databases into a stopped stack; its services go on from where those were.",
        ),
    ] = False,
) -> None:
    """Bring a backup back, into a folder that is empty or not there yet; nothing is overwritten."""
    from cli.backup import run_restore

    run_restore(file, data, databases_only)


@app.command()
def verify(
    data: Annotated[
        Path | None, typer.Option(help="The stack's folder; default .herhaal/data in the checkout.")
    ] = None,
    kafka: Annotated[str | None, typer.Option(metavar="HOST:PORT", help="Another Kafka.")] = None,
    postgres: Annotated[
        str | None, typer.Option(metavar="DSN", help="Another PostgreSQL, as its administrator.")
    ] = None,
    history: Annotated[
        Path | None, typer.Option(help="What clients wrote down of their operations.")
    ] = None,
    json: Annotated[Path | None, typer.Option(help="Write the verdict to this file.")] = None,
    dump: Annotated[
        Path | None, typer.Option(help="Keep the dump in this folder, which is made.")
    ] = None,
    wait: Annotated[
        float, typer.Option(min=0, help="Seconds to wait until the system is at rest.")
    ] = 30.0,
) -> None:
    """Check a live system: nothing lost, nothing twice, everything agrees. Exits with 1 if not."""
    from cli.up import DEFAULT_DATA
    from cli.verify.command import Options, addresses, run_verify

    found = addresses(data or DEFAULT_DATA, kafka, postgres)
    if not run_verify(Options(*found, history, json, dump, wait)):
        raise typer.Exit(1)


@app.command()
def rebuild(
    service: Annotated[str, typer.Argument(help="metrics, notification or ordering.")],
    data: Data = None,
    kafka: Annotated[str | None, typer.Option(metavar="HOST:PORT", help="Another Kafka.")] = None,
    postgres: Annotated[
        str | None, typer.Option(metavar="DSN", help="Another PostgreSQL, as its administrator.")
    ] = None,
    compare_only: Annotated[
        bool,
        typer.Option("--compare-only", help="Build and compare; leave the running tables alone."),
    ] = False,
    accept_loss: Annotated[
        bool,
        typer.Option("--accept-loss", help="Also when rows go that the topics no longer tell of."),
    ] = False,
    processes: Annotated[
        int, typer.Option(min=0, max=64, help="How many build; 0: one per core, at most four.")
    ] = 0,
    by: dead_letters.By = None,
    reason_text: Annotated[str, typer.Option(metavar="TEXT", help="Why, for the audit.")] = "",
    json: Annotated[Path | None, typer.Option(help="Write the figures to this file.")] = None,
) -> None:
    """Build a service's projections anew from the topics, beside the running ones, and switch them.

    The service may run meanwhile. Nothing is published or sent again. Exits with 0, with 1 when it was
    not done, with --compare-only also with 2 when the running tables differ from what the topics tell.
    """
    from cli.dead_letters.commands import signature
    from cli.rebuild.command import Wish, declared, run_rebuild
    from cli.up import DEFAULT_DATA
    from cli.verify.command import addresses

    declared(service)
    found = addresses(data or DEFAULT_DATA, kafka, postgres)
    signed = signature(by, reason_text)
    wish = Wish(service, *found, signed, accept_loss, compare_only, processes)
    if not run_rebuild(wish, json) and compare_only:
        raise typer.Exit(dead_letters.EXIT_NOT_ALL)


@app.command()
def bench(
    quick: Annotated[
        bool, typer.Option("--quick", help="About 2 minutes: all complete and equal, no rates.")
    ] = False,
    only: Annotated[
        list[str] | None, typer.Option(metavar="FIGURE", help="This figure only; may be repeated.")
    ] = None,
    rounds: Annotated[
        int | None, typer.Option(min=1, help="How often the engines take turns.")
    ] = None,
    orders: Annotated[
        list[int] | None, typer.Option(min=100, help="Orders of a run; may be repeated.")
    ] = None,
    engines: Annotated[
        list[str] | None, typer.Option(metavar="ENGINE", help="This engine; may be repeated.")
    ] = None,
    json: Annotated[
        Path | None, typer.Option(help="Write here; RESULTS.md and results.svg go beside it.")
    ] = None,
    profile: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Only look where the time of our worker goes."),
    ] = None,
) -> None:
    """Measure how fast we are against other engines on the same job and data."""
    from cli.bench import run_bench, run_bench_profile

    if profile is not None:
        run_bench_profile(quick, orders or [], profile)
        return
    run_bench(quick, only or [], rounds, orders or [], engines or [], json)


@app.command("test", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def check(
    context: typer.Context,
    suite: Annotated[
        str | None,
        typer.Argument(
            help="unit, contract, integration, e2e, architecture, faults, soak or lint; default: all."
        ),
    ] = None,
    stack: Annotated[
        Literal["local", "containers"], typer.Option(help="Where Kafka and PostgreSQL come from.")
    ] = "local",
    kafka_image: Annotated[str | None, typer.Option(help="With --stack containers.")] = None,
    postgres_image: Annotated[str | None, typer.Option(help="With --stack containers.")] = None,
    json: Annotated[
        Path | None, typer.Option(help="With faults or soak: write the table of faults here.")
    ] = None,
    minutes: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="With soak: begin no more after this; the last one may take some longer. Default 30.",
        ),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="With soak: the same order as the run that printed it.")
    ] = None,
) -> None:
    """Check everything: tests, types, lint, import rules. What follows -- goes to pytest.

    faults breaks processes, servers and clocks under a load, in about six minutes; soak does their long
    forms in random order. Both exit with 1 when anything acknowledged was lost or decided twice.
    """
    from cli.test import FaultOptions, run_test

    faults = FaultOptions(json, minutes, seed)
    run_test(suite, stack, kafka_image, postgres_image, faults, context.args)
