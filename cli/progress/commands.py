"""What `herhaal progress` does: looks, shows, and lets a service go on."""

import asyncio
import getpass
import logging
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Self, TypeVar

import asyncpg
import typer
from aiokafka.errors import KafkaError

from cli.audit import Signature, accountable, line_of, record_of
from cli.console import UserError, stdout
from cli.dead_letters.kafka import Writer
from cli.progress.look import Found, database, look
from cli.progress.showing import losses, table
from cli.verify.command import addresses
from runtime.postgres import progress
from runtime.postgres.connection import Connection
from schemas.records.operators import OperatorProgress
from schemas.topics import SERVICES

T = TypeVar("T")

_AWAY = (KafkaError, OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)


@dataclass(frozen=True)
class At:
    """Where to look; `postgres` is an administrator's DSN."""

    kafka: str
    postgres: str

    @classmethod
    def found(cls, data: Path | None, kafka: str | None, postgres: str | None) -> Self:
        """As given, else those of the stack that runs on a data folder. Raises UserError without one."""
        from cli.up import DEFAULT_DATA

        return cls(*addresses(data or DEFAULT_DATA, kafka, postgres))


def run_show(at: At, service: str | None) -> bool:
    """Show how one service, or each, stands; whether all fit. Raises UserError when that cannot be told."""
    names = [_known(service)] if service else [*SERVICES]
    found = [_ask(at, _look(at, name)) for name in names]
    stdout().print(table(found))
    for one in found:
        if not one.fits:
            stdout().print("\n".join(losses(one)), markup=False, highlight=False, soft_wrap=True)
    return all(one.fits for one in found)


def run_accept(at: At, service: str, by: str | None, why: str, yes: bool) -> None:
    """Let a service go on with this Kafka. Raises UserError when it cannot, or nothing is in its way."""
    found = _ask(at, _look(at, _known(service)))
    if found.fits:
        raise UserError(f"{service} fits this Kafka: there is nothing to accept.")
    stdout().print(table([found]))
    stdout().print("\n".join(losses(found)), markup=False, highlight=False, soft_wrap=True)
    if not yes:
        typer.confirm("Go on with this Kafka?", abort=True)
    told = _ask(at, _accept(at, found, Signature(by or getpass.getuser(), why)))
    stdout().print("\n".join(told), markup=False, highlight=False, soft_wrap=True)


def _known(service: str) -> str:
    if service not in SERVICES:
        raise UserError(f"There is no service {service}; there are {', '.join(SERVICES)}.")
    return service


def _ask(at: At, asked: Coroutine[Any, Any, T]) -> T:
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    try:
        return asyncio.run(asked)
    except _AWAY as error:
        raise UserError(
            f"Kafka at {at.kafka} or PostgreSQL is away, or refuses ({type(error).__name__})."
        ) from error


async def _look(at: At, service: str) -> Found:
    async with database(at.postgres, service) as db:
        return await look(at.kafka, db, service)


async def _accept(at: At, found: Found, signed: Signature) -> list[str]:
    """Move the progress, in one transaction with what the service does of its own; what was done."""
    asked = await _audit(at, found, signed, "asked")
    async with database(at.postgres, found.service) as db, db.transaction():
        await progress.restart(db, {s.tp: s.begin for s in found.belonging.misfits})
        await progress.set_cluster(db, found.belonging.cluster)
        told = await _reconcile(at.kafka, db, found.service)
    accepted = await _audit(at, found, signed, "accepted")
    return [
        asked,
        *told,
        accepted,
        f"{found.service} goes on with this Kafka as soon as it is started again.",
    ]


async def _reconcile(kafka: str, db: Connection, service: str) -> list[str]:
    name = f"services.{service}.reconcile"
    if find_spec(name) is None:
        return []
    told: list[str] = await import_module(name).reconcile(kafka, db)
    return told


async def _audit(at: At, found: Found, signed: Signature, result: str) -> str:
    """Write this to the audit; its line. Raises UserError for a name or a reason that is too long."""
    with accountable():
        done = OperatorProgress(
            service=found.service,
            by=signed.by,
            why=signed.why,
            at=datetime.now(UTC),
            result=result,
            cluster=found.belonging.cluster,
            partitions=len(found.belonging.misfits),
        )
    async with Writer.open(at.kafka) as writer:
        await writer.send(record_of(done))
    return line_of(done, f"progress of {done.service}")
