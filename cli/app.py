"""Every command with its options. Each imports the module that does the work when it is called."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from cli import (
    audit_trail,
    dead_letters,
    dependencies,
    directory,
    explain,
    medicines,
    parts,
    people,
    policy,
    progress,
    rebuild,
    revoke,
    schemas,
    systems,
    topics,
)
from cli.files import to_write

app = typer.Typer(
    name="herhaal",
    help="""Online repeat medication for GP practices: services on Kafka and PostgreSQL.

    Every command exits with 0 when it is done and 1 when it is not, unless its help says more.""",
    no_args_is_help=True,
    # Rich's help would add a third of a second of imports.
    rich_markup_mode=None,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for _name, _group in {
    "topics": topics.app,
    "directory": directory.app,
    "medicines": medicines.app,
    "schemas": schemas.app,
    "dlq": dead_letters.app,
    "progress": progress.app,
    "systems": systems.app,
    "people": people.app,
    "policy": policy.app,
    "audit": audit_trail.app,
    "parts": parts.app,
    "dependencies": dependencies.app,
}.items():
    app.add_typer(_group, name=_name)
app.command()(revoke.revoke)
app.command()(explain.explain)


@app.command()
def demo(
    orders: Annotated[int, typer.Option(min=1, max=100_000, help="How many orders to send.")] = 200,
    json: Annotated[
        Path | None,
        typer.Option(callback=to_write, help="Write the figures to this file."),
    ] = None,
    rate: Annotated[float, typer.Option(min=1, help="Orders per second.")] = 50,
    seed: Annotated[int, typer.Option(help="Other patients and orders.")] = 1,
) -> None:
    """Run the main job on a temporary stack: orders in, prescriptions and answers out, and a proof."""
    from cli.demo.command import run_demo

    run_demo(orders, rate, json, seed)


@app.command()
def up(
    data: Annotated[
        Path | None, typer.Option(help="Where data is kept; default .herhaal/data in the checkout.")
    ] = None,
    port_base: Annotated[
        int,
        typer.Option(min=1, max=65000, help="Services +1 to +4, PostgreSQL +5, the issuer +6."),
    ] = 8100,
    kafka_port: Annotated[
        int, typer.Option(min=1, max=65000, help="First of the six ports of Kafka.")
    ] = 9092,
    brokers: Annotated[int, typer.Option(help="1, or 3 with every record on three.")] = 1,
    tls: Annotated[bool, typer.Option("--tls", help="Encrypt connections to Kafka.")] = False,
    log: Annotated[
        Literal["console", "json"], typer.Option(help="How the services write their log files.")
    ] = "json",
    empty: Annotated[
        bool, typer.Option("--empty", help="Do not fill a new stack with the example.")
    ] = False,
) -> None:
    """Start Kafka, PostgreSQL, the four services and an issuer of tokens here, until Ctrl-C.

    A new stack is filled with a made-up region: practices, pharmacies, people, overviews (deploy/example).
    Exits with 0 after Ctrl-C or SIGTERM, 1 when the stack cannot start.
    """
    from cli.example import fill_example
    from cli.up import run_up

    prepare = None if empty else fill_example
    run_up(data, port_base, kafka_port, brokers, log, tls=tls, prepare=prepare)


@app.command()
def serve(
    name: Annotated[
        str, typer.Argument(help="ordering, medication, notification, metrics or portal.")
    ],
    only: Annotated[
        Literal["api", "worker"] | None, typer.Option(help="Only this half of the service.")
    ] = None,
    insecure_listen: Annotated[
        bool, typer.Option("--insecure-listen", help="Allow an address that is not loopback.")
    ] = False,
) -> None:
    """Run one service, or the portal, in this process, with its settings from the environment (HERHAAL_…).

    Exits with 0 after SIGTERM or SIGINT, 1 when it cannot run.
    """
    from cli.serve import run_serve

    run_serve(name, only, insecure_listen)


@app.command()
def lag(
    kafka: topics.Kafka = "",
    watch: Annotated[
        bool, typer.Option("--watch", help="Refresh every 2 seconds, until Ctrl-C.")
    ] = False,
    partitions: Annotated[
        bool, typer.Option("--partitions", help="A row for each partition instead of each topic.")
    ] = False,
) -> None:
    """Show the lag of each service, in records.

    Exits with 0, whatever the lag is, 1 when Kafka is unavailable.
    """
    from cli.lag import run_lag

    run_lag(kafka, watch, partitions)


Data = Annotated[
    Path | None, typer.Option(help="The stack's data; default .herhaal/data in the checkout.")
]


@app.command()
def token(
    role: Annotated[
        str,
        typer.Option(
            "--as",
            metavar="ROLE",
            help="patient, proxy, assistant, gp, manager, pharmacist, region, operator, portal,"
            " practice-system or pharmacy-system.",
        ),
    ],
    practice: Annotated[
        str | None, typer.Option(metavar="AGB", help="Of an assistant, gp or manager.")
    ] = None,
    pharmacy: Annotated[str | None, typer.Option(metavar="AGB", help="Of a pharmacist.")] = None,
    region: Annotated[str | None, typer.Option(metavar="NAME", help="Of a region.")] = None,
    patient: Annotated[
        list[str] | None,
        typer.Option(metavar="pat_…", help="Of a patient or proxy; may be repeated."),
    ] = None,
    system: Annotated[str | None, typer.Option(metavar="NAME", help="Of this system.")] = None,
    data: Data = None,
) -> None:
    """Print an access token of a local stack, for `Authorization: Bearer`; it is valid for 15 minutes.

    The stack may be running or stopped. Exits with 0 when printed, 2 when the role needs a scope that was not
    given, 1 when there is no stack.
    """
    from cli.token import Bearer, run_token

    run_token(Bearer(role, patient or [], practice, pharmacy, region, system), data)


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
            help="Put older databases into a stopped stack; services continue at the stored offsets.",
        ),
    ] = False,
) -> None:
    """Restore a backup into a folder that is empty or does not exist; nothing is overwritten."""
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
        Path | None, typer.Option(help="The clients' history of their operations.")
    ] = None,
    json: Annotated[
        Path | None,
        typer.Option(callback=to_write, help="Write the verdict to this file."),
    ] = None,
    dump: Annotated[Path | None, typer.Option(help="Keep the dump in this new folder.")] = None,
    wait: Annotated[
        float, typer.Option(min=0, help="Seconds to wait until the system is at rest.")
    ] = 30.0,
) -> None:
    """Check a live system: nothing lost, nothing twice, all data agrees.

    Exits with 0 when every rule holds and the system was at rest, 1 otherwise.
    """
    from cli.up import DEFAULT_DATA
    from cli.verify.command import Options, addresses, run_verify

    servers = addresses(data or DEFAULT_DATA, kafka, postgres)
    if not run_verify(Options(*servers, history, json, dump, wait)):
        raise typer.Exit(1)


app.command()(rebuild.rebuild)


@app.command()
def bench(
    quick: Annotated[
        bool, typer.Option("--quick", help="About 2 minutes: outputs are checked, rates are not.")
    ] = False,
    only: Annotated[
        list[str] | None, typer.Option(metavar="FIGURE", help="This figure only; may be repeated.")
    ] = None,
    rounds: Annotated[
        int | None, typer.Option(min=1, help="Rounds; each engine runs once in each.")
    ] = None,
    orders: Annotated[
        list[int] | None, typer.Option(min=100, help="Orders in a run; may be repeated.")
    ] = None,
    engines: Annotated[
        list[str] | None, typer.Option(metavar="ENGINE", help="This engine; may be repeated.")
    ] = None,
    json: Annotated[
        Path | None,
        typer.Option(
            callback=to_write, help="Write here; RESULTS.md and results.svg go beside it."
        ),
    ] = None,
    profile: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Only profile our worker, into this folder."),
    ] = None,
) -> None:
    """Measure our speed against other engines, on the same job and data."""
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
            help="unit, contract, integration, access, e2e, architecture, faults, soak, keycloak or"
            " lint; default: all but soak and keycloak."
        ),
    ] = None,
    stack: Annotated[
        Literal["local", "containers"], typer.Option(help="Where Kafka and PostgreSQL come from.")
    ] = "local",
    kafka_image: Annotated[str | None, typer.Option(help="With --stack containers.")] = None,
    postgres_image: Annotated[str | None, typer.Option(help="With --stack containers.")] = None,
    json: Annotated[
        Path | None,
        typer.Option(
            callback=to_write, help="With faults, soak or access: write their table here."
        ),
    ] = None,
    minutes: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="With soak: start no fault after this many minutes. Default 30.",
        ),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="With soak: repeat the order of the run that printed this.")
    ] = None,
) -> None:
    """Run tests, types, lint and import rules. Arguments after -- go to pytest.

    faults breaks processes, servers and clocks under load, in about six minutes; soak runs the long
    forms in random order. Both exit with 1 when an acknowledged record was lost or decided twice.
    access asks each operation in each role; keycloak downloads a real Keycloak and tries it as issuer.
    """
    from cli.test import SuiteOptions, run_test

    own = SuiteOptions(json, minutes, seed)
    run_test(suite, stack, kafka_image, postgres_image, own, context.args)
