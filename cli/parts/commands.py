"""What the commands of `herhaal parts` do: straight in the services' databases, as their owner."""

import asyncio
import getpass
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Self, TypeVar

import asyncpg
import typer

from cli.audit import Signature, accountable, line_of, record_of
from cli.console import UserError, print_plain, stdout
from cli.dead_letters.kafka import Writer
from cli.kafka import UNAVAILABLE, ask_both
from cli.parts.showing import table
from cli.postgres import safe_dsn
from cli.progress.commands import Servers
from cli.progress.look import database
from cli.services import require_service
from cli.verify.command import addresses
from runtime.errors import CannotRun
from runtime.postgres import parts, roles
from runtime.postgres.connection import Connection
from runtime.postgres.months import Month
from runtime.postgres.parts import Part, Parted
from runtime.rebuild import shadow
from schemas.records.operators import OperatorParts
from schemas.topics import SERVICES

T = TypeVar("T")


@dataclass(frozen=True)
class Detachment:
    """Which months of a service to detach, those before `before`; by whom and why."""

    service: str
    before: Month
    signed: Signature

    @classmethod
    def read(cls, service: str, before: str, by: str | None, why: str) -> Self:
        """Read a command's arguments. Raises UserError, also for months that must be kept."""
        require_parted(service)
        try:
            month = Month.read(before)
        except ValueError as error:
            raise UserError(f"{error}.") from None
        first = parts.first_to_keep(datetime.now(UTC))
        if month > first:
            raise UserError(
                f"A medical file is kept for {parts.KEEP_YEARS} years (article 7:454 of the civil code), so"
                f" {first} and later stay: --before is at most {first}."
            )
        return cls(service, month, Signature(by or getpass.getuser(), why))

    def chosen(self, all_parts: list[Part]) -> list[Part]:
        """The parts to detach, oldest first."""
        old = [p for p in all_parts if p.month is not None and p.month < self.before]
        return sorted(old, key=lambda part: (str(part.month), part.table))


def require_parted(service: str) -> Parted:
    """A service's declaration of its parted tables. Raises UserError when it has none."""
    if not _is_parted(require_service(service)):
        raise UserError(f"{service} has no table that is parted by month.")
    declared: Parted = import_module(f"services.{service}.parts").PARTED
    return declared


def postgres_of(data: Path | None, postgres: str | None) -> str:
    """PostgreSQL's DSN: the given one, else that of the stack on a data folder. Raises UserError."""
    from cli.up import DEFAULT_DATA

    return safe_dsn(postgres) if postgres else addresses(data or DEFAULT_DATA, None, None)[1]


def run_list(postgres: str, service: str | None) -> None:
    """Print the parts of one service, or of all."""
    found = _ask(_services(service), lambda name: _list(postgres, name))
    stdout().print(table({name: listed for name, (listed, _) in found.items()}))
    for name, (_, by_default) in found.items():
        for parted, rows in by_default.items():
            if rows:
                print_plain(
                    stdout(),
                    f"{name}: {rows} rows of {parted} are in no month's part: `herhaal parts make` moves them.",
                )


def run_make(postgres: str, service: str | None) -> None:
    """Make missing parts and print which."""
    made_by_service = _ask(_services(service), lambda name: _make(postgres, name))
    for name, made in made_by_service.items():
        print_plain(stdout(), f"{name}: {', '.join(made) or 'no part was missing'}")


def run_detach(at: Servers, asked: Detachment, dry_run: bool, yes: bool) -> None:
    """Detach months, oldest first, and print which. Raises UserError."""
    found, _ = _ask([asked.service], lambda name: _list(at.postgres, name))[asked.service]
    old = asked.chosen(found)
    if not old:
        print_plain(stdout(), f"{asked.service} has no part before {asked.before}.")
        return
    stdout().print(table({asked.service: old}))
    if dry_run:
        print_plain(stdout(), "Nothing is detached.")
        return
    if not yes:
        typer.confirm("Detach these parts?", abort=True)
    for line in ask_both(at.kafka, _guarded(asked.service, _detach(at, asked, old))):
        print_plain(stdout(), line)


async def _detach(at: Servers, asked: Detachment, old: list[Part]) -> list[str]:
    lines = [await _audit(at, asked, "asked", len(old))]
    async with _owned(at.postgres, asked.service) as db:
        for month in sorted({part.month for part in old if part.month is not None}):
            moved = await parts.detach(db, month, require_parted(asked.service))
            lines.append(f"{month}: {', '.join(moved)} are in the schema {parts.DETACHED}")
    try:
        lines.append(await _audit(at, asked, "detached", len(old)))
    except UNAVAILABLE as error:
        # It is done, so it must not be reported as failed. The audit has what was asked.
        lines.append(f"The audit of the detachment was not written: {type(error).__name__}.")
    return lines


async def _audit(at: Servers, asked: Detachment, result: str, count: int) -> str:
    with accountable():
        done = OperatorParts(
            service=asked.service,
            by=asked.signed.by,
            why=asked.signed.why,
            at=datetime.now(UTC),
            result=result,
            before=str(asked.before),
            parts=count,
        )
    async with Writer.open(at.kafka) as writer:
        await writer.send(record_of(done))
    return line_of(done, f"parts of {done.service} before {done.before}")


async def _list(postgres: str, service: str) -> tuple[list[Part], dict[str, int]]:
    async with database(postgres, service) as db:
        found = await parts.of_database(db)
        return found, {
            part.table: await parts.default_rows(db, part.table)
            for part in found
            if part.month is None
        }


async def _make(postgres: str, service: str) -> list[str]:
    async with _owned(postgres, service) as db:
        return await parts.make(db, datetime.now(UTC))


@asynccontextmanager
async def _owned(postgres: str, service: str) -> AsyncIterator[Connection]:
    """Connect as the owner of a service's tables, of which no rebuild may run."""
    async with database(postgres, service) as db:
        await roles.become_owner(db)
        if not await shadow.try_lock(db):
            raise CannotRun("a rebuild of it runs")
        yield db


async def _guarded(service: str, work: Coroutine[Any, Any, T]) -> T:
    try:
        return await work
    except CannotRun as error:
        raise UserError(f"The parts of {service} are as they were: {error}.") from error


def _ask(services: Iterable[str], work: Callable[[str], Coroutine[Any, Any, T]]) -> dict[str, T]:
    """Do the work for each service, one after the other. Raises UserError when PostgreSQL is unavailable."""

    async def all_of_it() -> dict[str, T]:
        return {service: await _guarded(service, work(service)) for service in services}

    try:
        return asyncio.run(all_of_it())
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise UserError(
            f"PostgreSQL is unavailable or refuses ({type(error).__name__})."
        ) from error


def _services(service: str | None) -> list[str]:
    if service is not None:
        require_parted(service)
        return [service]
    return [name for name in SERVICES if _is_parted(name)]


def _is_parted(service: str) -> bool:
    return find_spec(f"services.{service}.parts") is not None
