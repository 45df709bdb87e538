"""Tries a policy on ordering's database, and prints the numbers."""

import asyncio
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import asyncpg

from cli.console import UserError, stdout
from cli.policy.file import read_policy
from cli.policy.show import show
from cli.postgres import safe_dsn
from cli.progress.look import database
from cli.up import DEFAULT_DATA
from deploy.local.data import DataFolder
from runtime.postgres.connection import Connection
from schemas.records.directory import Policy
from schemas.times import local_date
from services.ordering.domain.trial import Trial
from services.ordering.trials.period import months_before, start_of
from services.ordering.trials.store import try_policy

_UNAVAILABLE = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)


@dataclass(frozen=True)
class _One:
    """A command's own connection, in place of a pool."""

    db: Connection

    def acquire(self) -> AbstractAsyncContextManager[Connection]:
        """The connection, which stays open."""
        return nullcontext(self.db)


def run_try(
    file: Path, practice: str, months: int, data: Path | None, postgres: str | None
) -> None:
    """Try a policy and print what it would change.

    Raises:
        UserError: the file has errors, the practice has no orders, or PostgreSQL is unavailable or refuses.
    """
    policy, now = read_policy(file), datetime.now(UTC)
    since = months_before(local_date(now), months)
    try:
        trial = asyncio.run(_try(_address(data, postgres), practice, since, now, policy))
    except _UNAVAILABLE as error:
        raise UserError(
            f"PostgreSQL is unavailable or refuses ({type(error).__name__})."
        ) from error
    if not trial.orders:
        raise UserError(f"Practice {practice} has no orders since {since}.")
    show(trial, practice, since, stdout())


async def _try(postgres: str, practice: str, since: date, until: datetime, policy: Policy) -> Trial:
    async with database(postgres, "ordering") as db:
        return await try_policy(_One(db), practice, start_of(since), until, policy)


def _address(data: Path | None, postgres: str | None) -> str:
    """The administrator's DSN: the given one, else that of the stack that runs on a data folder."""
    if postgres is not None:
        return safe_dsn(postgres)
    folder = data or DEFAULT_DATA
    endpoints = DataFolder(folder).running_endpoints()
    if endpoints is None:
        raise UserError(
            f"No stack runs on {folder}: start one with ./herhaal up, name another folder with --data, or"
            " give --postgres."
        )
    return safe_dsn(endpoints["postgres"])
