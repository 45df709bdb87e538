"""The commands of `herhaal progress`: check, show, accept."""

import getpass
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Self

import typer

from cli.audit import Signature, accountable, line_of, record_of
from cli.console import UserError, print_plain, stdout
from cli.dead_letters.kafka import Writer
from cli.kafka import UNAVAILABLE, ask_both
from cli.progress.look import ServiceProgress, check_progress, database
from cli.progress.showing import losses, table
from cli.services import require_service
from cli.verify.command import addresses
from runtime.postgres import progress
from runtime.postgres.connection import Connection
from schemas.records.operators import OperatorProgress
from schemas.topics import SERVICES


@dataclass(frozen=True)
class Servers:
    """The servers to use; `postgres` is an administrator's DSN."""

    kafka: str = field(repr=False)
    postgres: str = field(repr=False)

    @classmethod
    def of_stack(cls, data: Path | None, kafka: str | None, postgres: str | None) -> Self:
        """Take the given servers, else those of the stack on a data folder. Raises UserError without one."""
        from cli.up import DEFAULT_DATA

        return cls(*addresses(data or DEFAULT_DATA, kafka, postgres))


def run_show(at: Servers, service: str | None) -> bool:
    """Print the cluster check of one service, or of all. Return whether all fit.

    Raises UserError when a server is unavailable, or a service has never started.
    """
    names = [require_service(service)] if service else [*SERVICES]
    checked = [ask_both(at.kafka, _check(at, name)) for name in names]
    stdout().print(table(checked))
    for one in checked:
        if not one.fits:
            print_plain(stdout(), "\n".join(losses(one)))
    return all(one.fits for one in checked)


def run_accept(at: Servers, service: str, by: str | None, why: str, yes: bool) -> None:
    """Let a service continue with this Kafka. Raises UserError when it cannot, or already fits."""
    checked = ask_both(at.kafka, _check(at, require_service(service)))
    if checked.fits:
        raise UserError(f"{service} fits this Kafka: there is nothing to accept.")
    stdout().print(table([checked]))
    print_plain(stdout(), "\n".join(losses(checked)))
    if not yes:
        typer.confirm("Continue with this Kafka?", abort=True)
    done = ask_both(at.kafka, _accept(at, checked, Signature(by or getpass.getuser(), why)))
    print_plain(stdout(), "\n".join(done))


async def _check(at: Servers, service: str) -> ServiceProgress:
    async with database(at.postgres, service) as db:
        return await check_progress(at.kafka, db, service)


async def _accept(at: Servers, checked: ServiceProgress, signed: Signature) -> list[str]:
    """Reset the offsets in one transaction with the service's own reconciliation; return lines to print."""
    asked = await _audit(at, checked, signed, "asked")
    async with database(at.postgres, checked.service) as db, db.transaction():
        await progress.reset(db, {s.tp: s.begin for s in checked.check.misfits})
        await progress.set_cluster(db, checked.check.cluster)
        reconciled = await _reconcile(at.kafka, db, checked.service)
    try:
        accepted = await _audit(at, checked, signed, "accepted")
    except UNAVAILABLE as error:
        # It is done, so it must not be reported as failed. The audit has what was asked.
        accepted = f"The audit of the acceptance was not written: {type(error).__name__}."
    return [
        asked,
        *reconciled,
        accepted,
        f"{checked.service} continues with this Kafka when it is started again.",
    ]


async def _reconcile(kafka: str, db: Connection, service: str) -> list[str]:
    name = f"services.{service}.reconcile"
    if find_spec(name) is None:
        return []
    lines: list[str] = await import_module(name).reconcile(kafka, db)
    return lines


async def _audit(at: Servers, checked: ServiceProgress, signed: Signature, result: str) -> str:
    """Write an audit record; return its line. Raises UserError for a name or reason that is too long."""
    with accountable():
        done = OperatorProgress(
            service=checked.service,
            by=signed.by,
            why=signed.why,
            at=datetime.now(UTC),
            result=result,
            cluster=checked.check.cluster,
            partitions=len(checked.check.misfits),
        )
    async with Writer.open(at.kafka) as writer:
        await writer.send(record_of(done))
    return line_of(done, f"progress of {done.service}")
